// Package keystore says how a member's credential is kept on a machine.
//
// A Store keeps one pair per profile and is the pair's only home: nobody keeps a
// second copy, because a rotating refresh token that lives in two places breaks
// one of them. A Locker lets one process at a time read, renew and write.
//
// Backends live in folders below; keystoretest is the suite each must pass:
//
//	keychain, wincred, secretservice   the system's own keyring, through vault
//	sealed                             an encrypted file
//	file                               the credentials file that the SDKs read
//
// Package choice says which of them can be used on a machine. A backend must
// never ask the person anything, never hang, and never remove or change a pair
// except when told to.
package keystore
