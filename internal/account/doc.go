// Package account is about people: how they prove who they are in a browser,
// and how long that is believed.
//
// An account is one human with one e-mail address, a member of any number of
// organizations. It is entered by a password, a passkey, or a sign-in link that
// somebody with the right made. The very first account is made with a set-up
// link that the server prints. A sign-in is a browser session: a random token in
// a hardened cookie, of which only the hash is kept.
//
//	password ─┐             ┌ no second factor ──────────────┐
//	link ─────┼─ right? ────┤                                ├─ browser session
//	reset ────┘             └ half signed in ─ code, passkey ┘   (12 hours)
//	                          (5 minutes)      or recovery code
//	passkey, with the person verified: both factors at once ─────┘
//
// A half sign-in has a token of another kind in another cookie: it is good for
// the second step and for nothing else. Each step ends with a new token. What
// changes how somebody signs in wants proof that is not older than a quarter of
// an hour. An organization can want a second factor of its members: until they
// have one, they act in it as nobody.
//
// Nothing here tells a stranger whether an address has an account, neither by
// words nor by the work that is done for an answer.
package account
