// Package bearer turns a presented credential into the caller it stands for,
// once, and remembers the answer until somebody says that it changed.
//
//	presented ──hash──▶ cache ──miss──▶ source (session, apikey) ──▶ Grant
//	                      ▲                                            │
//	   feed of changes ───┴── Changed(ids): ask the source again ──────┘
//	                              still good: the grant gets the new caller
//	                              gone:       the grant ends, and so do its streams
//	                              no answer:  the grant stays, for a bounded time
//
// The cache is keyed by the SHA-256 of the whole credential and is bounded. A
// grant is never refused because of a fault of ours: while the database is
// gone, what is known goes on working until Grace has passed since the last
// word from it, and after that the answer is Unavailable, not Unauthenticated.
//
// Nothing here decides what a caller may do; that is package access.
package bearer
