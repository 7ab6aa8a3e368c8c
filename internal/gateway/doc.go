// Package gateway takes a model request the whole way: from a credential and a
// body to an upstream, and the answer back as it arrives.
//
//	door/gateway ─▶ authenticate ─▶ access ─▶ limits ─▶ scan ─▶ route ─▶ reserve ─▶ upstream
//	     ▲                                                                           │
//	     └──── relay, tapped for usage ◀── durable (before the first byte) ◀──────────┘
//	                    └─▶ settle (before the last byte)
//
// One exchange travels that way and is filled in; nothing is looked up twice
// and no stage reaches back, but for an answer of which nothing comes: then the
// next upstream is asked. What it needs from others it says in small
// interfaces: Authenticator, Directory, Upstream, Ledger and Observer.
//
// It must never change a byte of a body in either direction, never let a field,
// header, query or path of a request choose the destination or the upstream's
// credential, never log or forward the client's credential, and never answer
// 401 or 403 for a fault that is ours or the upstream's.
package gateway
