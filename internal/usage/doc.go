// Package usage is the ledger: what every model request used and cost, written
// once, in one place, before anybody can forget it.
//
//	Reserve ──▶ Durable ──▶ (Progress)* ──▶ Settle
//	   │           │             │             │
//	   ▼           ▼             ▼             ▼
//	journal     fdatasync     mapped slot    journal ──▶ drain ──▶ ledger_entry
//
// A reservation books the worst plausible cost before the request is sent; it is
// on disk before a byte of the answer leaves. The settlement replaces it with
// what happened, before the answer's last bytes are handed over. Both go to a
// journal, a few files in the data folder that are only appended to; a
// background job moves them to the database in large transactions. So a request
// never waits for the database, and a database that is gone costs nothing but
// room on disk (see docs/decisions/0001-ledger-journal.md).
//
// # What survives
//
//	kill -9     everything that Reserve or Settle returned for; an open
//	            reservation ends as Lost, settled by its last Progress
//	power loss  what Durable returned for, and settlements but for the last
//	            few milliseconds: those requests end as Lost
//	full disk   Reserve fails; open reservations settle into room that was
//	            set aside for them when they were made
//
// # The journal
//
//	ledger/
//	  1/                  one folder for each process; its lock says who lives
//	    lock
//	    00000003-00000001.seg   the third run's first segment
//	    00000003.slots          the third run's progress, shared memory
//
// A segment begins with a header and has room set aside to its end:
//
//	"GHLEDGER" version:u32 reserved:u32 { magic:u16 length:u16 crc32c:u32 payload }* zeros
//
// Numbers are little-endian. A frame that does not check ends the last segment,
// if nothing that checks follows it: a write was cut off. Anywhere else it is
// damage: what can be read beyond it is kept, what cannot is put aside in a
// file and reported.
//
// A record may be drained more than once, after a crash for one: the database
// keeps the first of each (organization, request, kind). A segment is removed
// when all of it is in the database; reservations that are still open move on
// into the newest segment first.
//
// The package must never wait for the database while a request waits for it,
// never drop a record without saying so, never settle a request twice and never
// let a model it has no price for be free.
package usage
