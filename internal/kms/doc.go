// Package kms seals secrets at rest.
//
// A sealed value is AES-256-GCM under a master key, bound to the table, row and
// column it stands in, so that it opens nowhere else:
//
//	version (1) | master key id (8) | nonce (12) | ciphertext and tag
//
// The master key comes from a file of mode 0600 made at the first start, or
// from the operator. There is no default key. Several keys can be known at
// once: the first seals, all open, so a key can be exchanged without downtime.
package kms
