// Package oauth is the core of the authorization server: the ways in which a
// program gets its first tokens.
//
// Device authorization (RFC 8628), for programs without a browser of their own:
//
//	pending ──approve──▶ approved ──poll──▶ spent (the poll gets the tokens)
//	   ├─────deny──────▶ denied
//	   └──── 10 min ───▶ expired
//
// Authorization code with PKCE (RFC 6749, 7636, 8252), for `gatehouse login` on
// a machine with a browser: only to a loopback address, only with S256, each
// code once and for a minute. A code that is presented twice ends the session
// that its first use began.
//
// Tokens are handed out only by whoever spent the code, in one statement of the
// database: of two that present it at once, one gets nothing. If something fails
// in between, the person signs in once more.
//
// Both ways need a member who looks at a page and presses a button; nothing
// here approves by itself.
package oauth
