// Package api stands in for google.golang.org/api, as far as the SDK's package for
// Vertex uses it: an HTTP client that carries a token. The real one brings gRPC along,
// which takes minutes to build and is not used over HTTP.
package api
