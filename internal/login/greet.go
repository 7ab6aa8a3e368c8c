package login

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

const (
	protocolPath = "/protocol"
	reportPath   = "/setup-report"
)

// Greeting is what a look at a server found.
type Greeting struct {
	Server Server
	// Protocol is the version of the gateway protocol that it speaks; 0: it does
	// not say.
	Protocol int
	// Chain is the server's certificates, its own first; none over plain HTTP.
	Chain []*x509.Certificate
	// Ahead is how far this machine's clock is ahead of the server's, to about a
	// second; negative: behind.
	Ahead time.Duration
}

// Greet asks a server what it is and what time it has. It fails as Discover
// does.
func (c *Client) Greet(ctx context.Context, address string) (Greeting, error) {
	origin, err := ParseServer(address)
	if err != nil {
		return Greeting{}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, origin+protocolPath, nil)
	if err != nil {
		return Greeting{}, fault.Wrap(fault.Invalid, err, "the server address cannot be used")
	}
	began := c.Now()
	got, err := c.do(req)
	if err != nil {
		return Greeting{}, err
	}
	g := Greeting{Chain: got.chain}
	if at, err := http.ParseTime(got.header.Get("Date")); err == nil {
		g.Ahead = began.Sub(at).Round(time.Second)
	}
	switch {
	case got.status >= 500, got.status == http.StatusTooManyRequests:
		return g, fault.New(fault.Unavailable, "%s answered %d", origin, got.status)
	case got.status != http.StatusOK:
		return g, fault.New(fault.Invalid, "what answers at %s is not a Gatehouse server", origin)
	}
	g.Server, err = c.Discover(ctx, address)
	g.Protocol = g.Server.Protocol
	return g, err
}

// Report hands a report on a machine to the server, for the member whose set-up
// code it is, or, without a code, for whom the access token is. It fails with
// NotFound for a code that is not good and Unauthenticated for such a token.
func (c *Client) Report(ctx context.Context, origin, code string, token secret.Text, report any) error {
	body, err := json.Marshal(struct {
		Code   string `json:"code,omitempty"`
		Report any    `json:"report"`
	}{code, report})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, origin+reportPath, bytes.NewReader(body))
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "the server address cannot be used")
	}
	req.Header.Set("Content-Type", "application/json")
	if code == "" {
		req.Header.Set("Authorization", "Bearer "+token.Reveal())
	}
	got, err := c.do(req)
	if err != nil || got.status == http.StatusOK {
		return err
	}
	var refused struct {
		Error struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	if json.Unmarshal(got.body, &refused) != nil || refused.Error.Message == "" {
		return fault.New(fault.Unavailable, "%s takes no reports: it answered %d", origin, got.status)
	}
	kind := fault.Invalid
	switch {
	case got.status == http.StatusNotFound:
		kind = fault.NotFound
	case got.status == http.StatusUnauthorized:
		kind = fault.Unauthenticated
	case got.status >= 500, got.status == http.StatusTooManyRequests:
		kind = fault.Unavailable
	}
	return fault.New(kind, "%s did not take the report: %s", origin, clean(refused.Error.Message))
}
