// Package secretservice keeps small values with the Secret Service of a Linux
// desktop: GNOME Keyring, KWallet, KeePassXC, over D-Bus
// (https://specifications.freedesktop.org/secret-service/latest/).
//
// Items are found by their attributes service=gatehouse and name, and made in
// the default collection. Values travel in the clear over the session bus, which
// is a socket of this user alone: whoever can listen there can ask for them too.
//
// It speaks D-Bus itself because the usual library (zalando/go-keyring) unlocks a
// collection by a dialog and waits for it without a limit.
//
// It must never start a bus, complete a prompt (a dialog of which nobody knows
// why it is there), or wait beyond the caller's deadline.
package secretservice
