// Package sealed keeps credential pairs in encrypted files, for machines that
// have no keyring.
//
// The pair is sealed with XChaCha20-Poly1305 under a key that comes from a
// passphrase by argon2id (RFC 9106), or that is random and kept in a keyring. A
// file says which, and is bound to its server and profile: put in another's
// place it does not open.
//
//	{"version":1,"key":"passphrase","argon2id":{"salt":"…","time":2,"memory_kib":19456,"threads":1},
//	 "nonce":"…","sealed":"…"}
//	{"version":1,"key":"secret-service","nonce":"…","sealed":"…"}
//
// Binary fields are base64 (RFC 4648, section 4). Parameters are bounded when
// they are read: a planted file cannot make us work for minutes.
//
// It must never write a pair in the clear, keep a passphrase, or ask for one by
// itself.
package sealed
