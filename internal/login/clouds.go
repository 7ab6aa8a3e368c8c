package login

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// The clouds that a member may reach, by the names that commands use.
const (
	AWS    = "aws"
	Google = "gcp"
	Azure  = "azure"
)

// Cloud is one that the organization lets a member reach, as its server tells it.
type Cloud struct {
	Cloud    string `json:"cloud"`
	Audience string `json:"audience"` // of identity tokens
	Region   string `json:"region,omitempty"`

	RoleARN     string `json:"role_arn,omitempty"` // of AWS
	Hours       int    `json:"hours,omitempty"`    // of a session; 0: one
	SessionName string `json:"session_name,omitempty"`

	Project       string `json:"project,omitempty"` // of Google Cloud
	ProjectNumber string `json:"project_number,omitempty"`
	Account       string `json:"account,omitempty"` // a service account that is taken on

	Tenant   string `json:"tenant,omitempty"` // of Entra
	Client   string `json:"client,omitempty"`
	Resource string `json:"resource,omitempty"` // of Foundry
}

// Identity is a token that says to a cloud who a member is.
type Identity struct {
	Token   secret.Text
	Expires time.Time
}

// Clouds asks which clouds the member of an access token may reach, the preferred one
// first. It fails with Unsupported for a server that knows nothing of them.
func (c *Client) Clouds(ctx context.Context, access secret.Text) ([]Cloud, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.Server.Origin+"/user/clouds", nil)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the server's address cannot be used")
	}
	req.Header.Set("Authorization", "Bearer "+access.Reveal())
	got, err := c.do(req)
	switch {
	case err != nil:
		return nil, err
	case got.status == http.StatusNotFound:
		return nil, fault.New(fault.Unsupported, "%s is too old to let members reach clouds", c.Server.Origin)
	case got.status != http.StatusOK:
		return nil, c.refusal(got)
	}
	var w struct {
		Clouds []Cloud `json:"clouds"`
	}
	if json.Unmarshal(got.body, &w) != nil {
		return nil, fault.New(fault.Unavailable, "%s does not say readably which clouds may be reached", c.Server.Origin)
	}
	for _, one := range w.Clouds {
		if !one.plain() {
			return nil, fault.New(fault.Invalid, "%s says something of a cloud that cannot be used", c.Server.Origin)
		}
	}
	return w.Clouds, nil
}

// plain reports whether nothing of a cloud can mean more than its letters where it is
// put into a file, an address or a variable.
func (c Cloud) plain() bool {
	all := c.Cloud + c.Audience + c.Region + c.RoleARN + c.SessionName + c.Project + c.ProjectNumber + c.Account + c.Tenant + c.Client + c.Resource
	return c.Hours >= 0 && c.Hours <= 12 && !strings.ContainsFunc(all, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(":/@._+=,-", r))
	})
}

// Identity exchanges an access token for an identity token (RFC 8693). It fails with
// Denied if the organization does not let the member reach a cloud of this audience.
func (c *Client) Identity(ctx context.Context, access secret.Text, audience string) (Identity, error) {
	got, err := c.post(ctx, c.Server.Token, url.Values{
		"grant_type":           {"urn:ietf:params:oauth:grant-type:token-exchange"},
		"subject_token":        {access.Reveal()},
		"subject_token_type":   {"urn:ietf:params:oauth:token-type:access_token"},
		"requested_token_type": {"urn:ietf:params:oauth:token-type:id_token"},
		"audience":             {audience},
		"client_id":            {ClientID},
	})
	if err != nil {
		return Identity{}, err
	}
	if got.status != http.StatusOK {
		var r refusal
		if json.Unmarshal(got.body, &r) == nil && (r.Code == "invalid_target" || r.Code == "access_denied") {
			return Identity{}, fault.New(fault.Denied, "%s gives no way into that cloud: %w", c.Server.Origin, &r).WithHint("gatehouse status")
		}
		return Identity{}, c.refusal(got)
	}
	var w struct {
		Token   string  `json:"access_token"`
		Expires float64 `json:"expires_in"`
	}
	if json.Unmarshal(got.body, &w) != nil || !credential.Printable(secret.New(w.Token)) || w.Expires <= 0 || w.Expires > maxLife.Seconds() {
		return Identity{}, fault.New(fault.Unavailable, "%s gave an identity token that cannot be used", c.Server.Origin)
	}
	return Identity{secret.New(w.Token), c.Now().Add(time.Duration(w.Expires) * time.Second).Round(0)}, nil
}
