// Package refresh hands out access tokens that are fresh enough, renewing the
// stored pair when it has to, once for everybody on the machine.
//
//	stored pair fresh ──────────────────────────────────────────▶ hand out
//	      │ no
//	one goroutine of this process ─▶ lock ─▶ read again ─ fresh ─▶ hand out
//	                                            │ no
//	                                        exchange ── new pair ─▶ compare, save, hand out
//	                                            │ refused
//	                                        read again ─ changed ─▶ use that one (or exchange it, once)
//	                                            │ same
//	                                        the sign-in has ended
//
// The SDKs write to the same home without our lock. So a new pair is saved only
// where the pair it replaces still stands, and a refusal is believed only if
// nobody else has renewed meanwhile.
//
// A renewal is early, at 50 to 60 % of a token's life (see credential.Pair.Fresh),
// and the answer that a crash or a full disk has swallowed is asked for again: the
// server gives the same one for a while.
//
// It must never delete a stored pair, whatever the server says, never ask a
// person, and never wait longer than its deadlines.
package refresh
