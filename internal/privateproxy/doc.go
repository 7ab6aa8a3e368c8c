// Package privateproxy puts the sign-in behind an address of this machine for one
// program: an endpoint on 127.0.0.1 and a token that are good while the program
// runs, so that nothing in its environment outlives it.
//
//	program ── one-run token ─▶ 127.0.0.1:PORT ── the member's token ─▶ the server
//
// A request must carry the token as Authorization or x-api-key, name the endpoint
// in Host, and have no Origin and no Sec-Fetch-Site of a web page: a page in a browser, also
// one whose name was bound to 127.0.0.1 afterwards, gets nothing. Answers stream as they
// come; hop-by-hop headers and upgrades do not pass.
//
// A body is kept in memory while its request lasts, up to 32 MiB each and 64 MiB
// in all, so that a request that is refused with 401 can be sent again with a new
// token; what is larger is sent once.
//
// It must never listen on another address, lead to another origin than the
// server's, let either token into an error or a log, or answer a page of the web.
package privateproxy
