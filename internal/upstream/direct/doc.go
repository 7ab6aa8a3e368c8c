// Package direct sends requests to one origin over HTTP/1.1 with as little in
// between as there can be.
//
// net/http's Transport serves every kind of request there is; it hands each from
// goroutine to goroutine and copies bodies in pieces. A gateway sends one kind:
// a POST with its whole body in memory, and relays what comes back. Here the
// goroutine that asks also writes and reads, header and body leave in one system
// call, and a connection at rest costs a small buffer and no goroutine. Parsing
// answers is left to net/http, which has seen everything.
//
// A connection carries one request at a time and is used again only if its
// answer was read to the end and nothing else came with it: not in our buffer,
// not within TLS, not on the socket. A request is sent again, on a fresh
// connection, only if nothing of it can have arrived. The package follows no
// redirect, uses no proxy, decompresses nothing and keeps no cookies.
package direct
