// Package googleauth proves to Google Cloud who asks.
//
//	a service account's key   kept sealed; only its own fields are used, never an
//	                          address that it names
//	ambient                   application default credentials of this server: a
//	                          machine's account, workload identity, a file
//	impersonation             a service account taken on with either of the two
//
// Access tokens (RFC 6750) are renewed in the background (package lease).
//
// The ambient ways lend the server's own rights to whoever may connect an
// upstream: whoever runs the server must have said that this is meant.
package googleauth
