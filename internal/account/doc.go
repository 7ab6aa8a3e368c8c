// Package account is about people: how they prove who they are in a browser,
// and how long that is believed.
//
// An account is one human with one e-mail address, a member of any number of
// organizations. It is entered by password or by a sign-in link that an owner
// made, and a sign-in is a browser session: a random token in a hardened cookie,
// of which only the hash is kept. The very first account is made with a set-up
// link that the server prints.
//
// Nothing here tells a stranger whether an address has an account.
package account
