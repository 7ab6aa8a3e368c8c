// Package vault makes a keystore of a system's keyring.
//
// A keyring (Items) keeps small values under names, and may be locked, slow or
// dead. Vault gives one name to each profile of each server and each folder of
// configuration, so that no two of them ever share an item; splits what is larger
// than the keyring holds; checks a sum when it reads; and waits for no call
// longer than keystore.BusyPatience, whatever the keyring does.
//
// What one item holds, in printable ASCII without blanks:
//
//	g1.SUM.DATA               the pair, base64url, with the first 16 hex digits of its SHA-256
//	g2.SUM.GENERATION.PARTS   its parts are in items of their own, NAME #GENERATION.N
//
// The parts of a new generation are written before the item that names them, and
// those of the old one are removed after it: a reader or a crash in between finds
// the old pair or the new.
//
// It must never ask for a keyring to be unlocked, and never print what it reads.
package vault
