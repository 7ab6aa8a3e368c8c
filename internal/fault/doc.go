// Package fault is the closed set of ways in which a request can go wrong.
//
// A room returns a fault with a kind, one sentence for the person who reads it
// and the next step to take. The cause stays inside for the log. Doors map the
// kind to their wire once; nothing else decides on a status. An error that is
// not a fault is an internal one: it is logged whole and shown as such, and it
// is never turned into a refusal of the credential.
package fault
