// Package keychain keeps small values in the macOS login keychain, by the
// system's own program, /usr/bin/security: it is there on every Mac, and what it
// has made it reads again without a dialog, whichever version of this program
// asks.
//
// Values go in by standard input ("security -i"), never by an argument, which
// every user of the machine could read. That takes lines of at most 4,095 bytes
// and executes the rest of a longer one as another command, so Limit stays well
// below, and what is written is read back.
//
// What is known of the program's answers:
//
//	exit 44   errSecItemNotFound (-25300)
//	exit 36   errSecInteractionNotAllowed (-25308): locked, and nobody can be asked, as over SSH
//	exit 51   errSecAuthFailed (-25293)
//	exit 128  the person closed the dialog
//
// It must never pass a value as an argument, or a name that the program's parser
// could take for more than a name.
package keychain
