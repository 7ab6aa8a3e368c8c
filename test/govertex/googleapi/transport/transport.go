package transport

import (
	"context"
	"net/http"

	"golang.org/x/oauth2"
	"google.golang.org/api/option"
)

// NewHTTPClient returns a client whose requests carry a token, as Google's own does.
func NewHTTPClient(ctx context.Context, options ...option.ClientOption) (*http.Client, string, error) {
	return oauth2.NewClient(ctx, options[0].Tokens), "", nil
}
