// Package anthropic is the upstream that speaks the Anthropic API itself: the
// public one, or anything else in that format at another address.
//
// Requests go out as they came, but for the credential, which is this server's.
// The address is fixed when the upstream is made: of the request only the
// operation and the query are added to it. It must never follow a redirect,
// send a client's credential, or let a client's header replace ours.
package anthropic
