// Package invite asks people to join an organization, one by one, many at once,
// by a link, or because a member proposed them.
//
//	             withdraw
//	pending ───────────────▶ deleted
//	   │ ├─ 21 days ───────▶ expired
//	   │ accept
//	   ▼
//	accepted
//
// An invitation is for one address. Its link is the only credential: whoever has
// it can join as that address, so it is mailed to nobody else and kept as a hash.
// It is derived from the invitation's id with a key of the instance, so the same
// link can be sent again and never has to be stored. While it is pending an
// invitation holds a seat, and there is one pending for an address at most:
// inviting twice changes nothing.
//
// Many at once are a batch: a list is read and checked line by line before
// anything is sent, and sent in pieces by whichever node comes by, so that
// neither a crash nor a second click does anything twice. What the sender may
// give is asked again for every piece: who is removed in the middle of a batch
// invites nobody any more.
//
// The package must never let anybody give more than they have, never say whether
// an address has an account to somebody who does not hold its invitation, and
// never make a row because of what a stranger sent.
package invite
