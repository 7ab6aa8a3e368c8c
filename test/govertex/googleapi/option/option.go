package option

import "golang.org/x/oauth2"

// ClientOption is where tokens come from.
type ClientOption struct{ Tokens oauth2.TokenSource }

// WithTokenSource says where they come from.
func WithTokenSource(s oauth2.TokenSource) ClientOption { return ClientOption{s} }
