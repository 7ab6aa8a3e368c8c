package login

import (
	"cmp"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

const (
	maxAnswer      = 1 << 20
	requestTimeout = 30 * time.Second
	maxLife        = 366 * 24 * time.Hour
)

// Client talks to an authorization server. Agent, Now and Wait are required;
// Server is for everything but Discover. Its methods may be called concurrently.
type Client struct {
	Server Server
	// Agent is the User-Agent: "gatehouse/0.1.0 (linux/amd64)".
	Agent string
	Now   func() time.Time
	// Wait returns after d, or with the context's error before that.
	Wait func(ctx context.Context, d time.Duration) error
	// Transport is the way out; nil is http.DefaultTransport, which honours the
	// usual proxy variables.
	Transport http.RoundTripper
	// Patience is how long one request may take; 0 is 30 s.
	Patience time.Duration
}

type answer struct {
	status int
	header http.Header
	body   []byte
	chain  []*x509.Certificate // of the server, where it has one
}

// do sends one request. It follows no redirect: a 307 would carry the body, and
// with it a token, to an origin that nobody checked.
func (c *Client) do(req *http.Request) (answer, error) {
	req.Header.Set("User-Agent", c.Agent)
	req.Header.Set("Accept", "application/json")
	hc := http.Client{Transport: c.Transport, Timeout: cmp.Or(c.Patience, requestTimeout),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := hc.Do(req)
	if err != nil {
		return answer{}, unreached(req.URL, unwrapURL(err))
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil || len(body) > maxAnswer {
		return answer{}, fault.Wrap(fault.Unavailable, err, "cannot read the answer of "+origin(req.URL))
	}
	got := answer{status: resp.StatusCode, header: resp.Header, body: body}
	if resp.TLS != nil {
		got.chain = resp.TLS.PeerCertificates
	}
	return got, nil
}

// The URL in a url.Error says nothing that we do not say ourselves, at length.
func unwrapURL(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

func (c *Client) post(ctx context.Context, endpoint string, form url.Values) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return answer{}, fault.Wrap(fault.Invalid, err, "the server's endpoint cannot be used")
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return c.do(req)
}

// Exchange renews a pair (RFC 6749, section 6). It fails with Unauthenticated
// only if the server says that the sign-in has ended, or is another (OtherServer):
// that gets to see no refresh token.
func (c *Client) Exchange(ctx context.Context, old credential.Pair) (credential.Pair, error) {
	if err := c.confirm(ctx); err != nil {
		return credential.Pair{}, err
	}
	return c.grant(ctx, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {old.Refresh.Reveal()}}, old.Refresh)
}

// grant asks the token endpoint for a pair. kept is the refresh token that stays
// valid if the answer brings no other.
func (c *Client) grant(ctx context.Context, form url.Values, kept secret.Text) (credential.Pair, error) {
	form.Set("client_id", ClientID)
	got, err := c.post(ctx, c.Server.Token, form)
	if err != nil {
		return credential.Pair{}, err
	}
	if got.status != http.StatusOK {
		return credential.Pair{}, c.refusal(got)
	}
	return c.readPair(got.body, kept)
}

func (c *Client) readPair(body []byte, kept secret.Text) (credential.Pair, error) {
	var w struct {
		AccessToken  string  `json:"access_token"`
		TokenType    string  `json:"token_type"`
		ExpiresIn    float64 `json:"expires_in"`
		RefreshToken string  `json:"refresh_token"`
	}
	bad := func(why string) (credential.Pair, error) {
		return credential.Pair{}, fault.New(fault.Unavailable, "%s gave a token answer that cannot be used: %s", c.Server.Origin, why)
	}
	if json.Unmarshal(body, &w) != nil {
		return bad("it is not JSON")
	}
	pair := credential.Pair{Access: secret.New(w.AccessToken), Refresh: secret.New(w.RefreshToken)}
	if pair.Refresh.Empty() {
		pair.Refresh = kept
	}
	pair.Expires = c.ends(pair, w.ExpiresIn)
	switch {
	case !strings.EqualFold(w.TokenType, "Bearer"):
		return bad("the token is not a bearer token")
	case !credential.Printable(pair.Access):
		return bad("the access token is not printable")
	case !credential.Printable(pair.Refresh):
		return bad("there is no refresh token")
	case pair.Expires.IsZero():
		return bad("it does not say how long the token lives")
	}
	return pair, nil
}

// ends is when a token ends by this machine's clock: now and its life, or what
// the token itself says if the answer is silent.
func (c *Client) ends(pair credential.Pair, seconds float64) time.Time {
	if seconds > 0 && seconds <= maxLife.Seconds() {
		// Without the monotonic clock, which stands still while a machine sleeps.
		return c.Now().Add(time.Duration(seconds) * time.Second).Round(0)
	}
	claims, err := credential.ReadClaims(pair.Access)
	if err != nil || seconds != 0 {
		return time.Time{}
	}
	return claims.Expires
}

// refusal is an error answer of RFC 6749, section 5.2.
type refusal struct {
	Code        string `json:"error"`
	Description string `json:"error_description"`
}

func (r *refusal) Error() string {
	// The server's sentence may end in the next step, which the command says itself.
	said, _, _ := strings.Cut(r.Description, ": sign in again with")
	if said == "" {
		said = r.Code
	}
	return clean(said)
}

// refusal classifies what is not a success. Only a well-formed invalid_grant
// says anything about the sign-in; a bare 401 may be a proxy's.
func (c *Client) refusal(got answer) error {
	var r refusal
	if json.Unmarshal(got.body, &r) != nil || r.Code == "" {
		return fault.New(fault.Unavailable, "%s answered %d", c.Server.Origin, got.status)
	}
	if got.status >= 500 || got.status == http.StatusTooManyRequests {
		return fault.New(fault.Unavailable, "%s cannot answer now: %s", c.Server.Origin, r.Error())
	}
	switch r.Code {
	case "invalid_grant":
		return fault.New(fault.Unauthenticated, "the sign-in at %s has ended: %w", c.Server.Origin, &r)
	case "temporarily_unavailable", "server_error":
		return fault.New(fault.Unavailable, "%s cannot answer now: %w", c.Server.Origin, &r)
	}
	return fault.New(fault.Invalid, "%s refused the request: %w", c.Server.Origin, &r)
}

// Revoke ends the sign-in that a pair belongs to (RFC 7009). Another server is told
// nothing.
func (c *Client) Revoke(ctx context.Context, pair credential.Pair) error {
	if c.Server.Revocation == "" {
		return fault.New(fault.Unsupported, "%s offers no way to end a sign-in", c.Server.Origin)
	}
	if err := c.confirm(ctx); err != nil {
		return err
	}
	form := url.Values{"token": {pair.Refresh.Reveal()}, "token_type_hint": {"refresh_token"}, "client_id": {ClientID}}
	got, err := c.post(ctx, c.Server.Revocation, form)
	if err != nil {
		return err
	}
	if got.status != http.StatusOK {
		return c.refusal(got)
	}
	return nil
}
