// Package audit says what is recorded and how the record is made provable.
//
// Every change is an Event, written in the transaction of the change. Events
// become the leaves of one Merkle log for the whole server (RFC 6962 hashing as
// in golang.org/x/mod/sumdb/tlog), whose head is signed after every event:
//
//	leaf  = canonical JSON of the event's fixed part and the SHA-256 of its detail
//	head  = size and root hash, a note signed with the log's Ed25519 key
//
// A log is continued only under its last signed head: the hashes that the new
// head rests on are compared with it first, so nothing that was rewritten in the
// meantime is ever signed over.
//
// The detail (names, addresses, before and after) stands beside the leaf with a
// salt, so that a person's data can be erased later without breaking the proof.
//
// The package is pure: it computes and checks, and reads no database.
package audit
