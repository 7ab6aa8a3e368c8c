// Package login signs a member in and out at an authorization server, and
// renews what signing in gave.
//
//	browser   authorization code with PKCE (RFC 7636, S256) and a redirect to a
//	          listener on 127.0.0.1 (RFC 8252), or one that the person pastes
//	device    a code shown here and typed in a browser anywhere (RFC 8628)
//	refresh   the next pair of the chain (RFC 6749, section 6)
//	revoke    the end of the sign-in (RFC 7009)
//
// LookAround and Choose decide between the first two, and say why. Whatever stands
// between us and a server is told apart and named: an inspector, a proxy, a
// portal, a page.
//
// A server tells itself from another under the same name by its instance. Before a
// refresh token leaves, to renew or to sign out, the server is asked for it.
//
// The server is found by its metadata (RFC 8414): one origin, over https unless
// it is this machine. No redirect is followed, so a token never reaches another
// origin. Memory remembers which server a profile belongs to; it holds no secret.
//
// It must never put a token into a URL, a log or an error, believe a refusal that
// is not the authorization server's own, or keep the loopback listener open
// longer than one sign-in, or send a refresh token to another server than the one
// that gave it.
package login
