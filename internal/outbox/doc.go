// Package outbox sends the letters that were queued, and shows what became of
// them.
//
// A letter is put into the outbox in the transaction of what it tells of, so it
// is never lost, and it is sent by one node at a time: a node claims what is due
// for a few minutes, hands it to the mail server, and notes what that said. A
// node that dies in between leaves its letters to the others when its claim has
// run out, so a letter may arrive twice, with the same Message-ID, and never not
// at all.
//
//	waiting ──claim──▶ queued ──250──▶ sent
//	   ▲                │  ▲
//	   │                │  └─ 4xx, no connection: again later
//	   └──── retry ── failed ◀─ 5xx, or three days in vain
//
// waiting and queued letters become expired when what they tell of has run out,
// and dropped when it has been settled otherwise.
//
// Whoever manages members sees the letters of their organization. The link of an
// invitation is theirs to hand over; the link of every other letter lets its
// bearer into somebody's account, so it is shown in the server's own shell and
// nowhere else, and that is recorded. A letter's content is forgotten once it is
// sent.
package outbox
