// Package keyring gives a test a session bus of its own, with a real GNOME
// Keyring on it, with a Secret Service that never answers, or with nobody.
//
// Nothing here touches the bus or the keyring of whoever runs the tests: the
// daemons have a home folder and a runtime folder of their own, and end with the
// test.
package keyring
