// Package origin sends the requests of an upstream to the one place where it is:
// directly over our own connections (package direct), or through the proxy that
// leads there, over net/http's.
//
// The address is fixed when an Origin is made. Errors are faults of the kinds
// that gateway.Upstream promises, and say whether anything was sent. It must
// never follow a redirect, decompress an answer, or send a request twice that may
// have arrived.
package origin
