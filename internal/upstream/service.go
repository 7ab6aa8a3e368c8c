package upstream

import (
	"context"
	"net/netip"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// Provider is how an upstream is spoken to.
type Provider string

const (
	Anthropic Provider = "anthropic" // the Anthropic Messages API, at any address
	Simulated Provider = "simulated" // no model at all: answers made here
)

// AnthropicURL is the address of the Anthropic API itself.
const AnthropicURL = "https://api.anthropic.com"

// Upstream is where models answer.
type Upstream struct {
	ID           id.Upstream
	Organization id.Organization
	Name         string
	Provider     Provider
	BaseURL      string
	Credential   secret.Text
	Place        int64 // in the order of preference, the smallest first
	CreatedAt    time.Time
}

// Store is what the package needs stored. Credentials are sealed by it.
type Store interface {
	Upstreams(ctx context.Context, o id.Organization) ([]Upstream, error) // in order
	Add(ctx context.Context, u Upstream, e audit.Event) error             // at the end of the order
	Remove(ctx context.Context, o id.Organization, u id.Upstream, e audit.Event) error
}

// Service keeps upstreams. Its fields must be set before use.
type Service struct {
	Store Store
	Now   func() time.Time
}

// New is what is asked when an upstream is connected.
type New struct {
	Name       string
	Provider   Provider
	BaseURL    string // empty: the provider's own
	Credential secret.Text
}

// List returns an organization's upstreams in order. Their credentials are
// there only for the server itself.
func (s *Service) List(ctx context.Context, who caller.Caller, o id.Organization) ([]Upstream, error) {
	if err := access.Check(who, caller.ManageUpstreams, o); err != nil {
		return nil, err
	}
	all, err := s.Store.Upstreams(ctx, o)
	if who.Kind != caller.System {
		for i := range all {
			all[i].Credential = secret.Text{}
		}
	}
	return all, err
}

// Connect adds an upstream at the end of the order.
func (s *Service) Connect(ctx context.Context, who caller.Caller, o id.Organization, in New) (Upstream, error) {
	if err := access.Check(who, caller.ManageUpstreams, o); err != nil {
		return Upstream{}, err
	}
	u := Upstream{ID: id.NewUpstream(), Organization: o, Name: strings.Join(strings.Fields(in.Name), " "), Provider: in.Provider,
		BaseURL: strings.TrimRight(strings.TrimSpace(in.BaseURL), "/"), Credential: in.Credential, CreatedAt: s.Now()}
	if err := check(&u); err != nil {
		return Upstream{}, err
	}
	e := audit.New(who, s.Now(), audit.UpstreamConnected, string(u.ID), audit.Detail{"name": u.Name, "provider": string(u.Provider), "base_url": u.BaseURL}).In(o)
	err := s.Store.Add(ctx, u, e)
	u.Credential = secret.Text{}
	return u, err
}

func check(u *Upstream) error {
	if u.Name == "" {
		u.Name = string(u.Provider)
	}
	if len(u.Name) > 100 || !utf8.ValidString(u.Name+u.BaseURL) || strings.ContainsFunc(u.Name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return fault.New(fault.Invalid, "a name has at most 100 printable characters").At("name")
	}
	switch u.Provider {
	case Simulated:
		u.BaseURL, u.Credential = "", secret.Text{}
		return nil
	case Anthropic:
	default:
		return fault.New(fault.Invalid, "there is no provider %q", u.Provider).At("provider")
	}
	if u.BaseURL == "" {
		u.BaseURL = AnthropicURL
	}
	if err := checkURL(u.BaseURL); err != nil {
		return err
	}
	key := u.Credential.Reveal()
	if key == "" || len(key) > 4096 || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return fault.New(fault.Invalid, "an API key of the provider is needed, without spaces").At("credential")
	}
	return nil
}

// checkURL wants https, but for this machine itself: a key in the clear is
// everybody's.
func checkURL(raw string) error {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || (u.Scheme != "https" && u.Scheme != "http") {
		return fault.New(fault.Invalid, "the base URL must look like https://host or https://host/path").At("base_url")
	}
	a, err := netip.ParseAddr(u.Hostname())
	if u.Scheme == "http" && u.Hostname() != "localhost" && (err != nil || !a.IsLoopback()) {
		return fault.New(fault.Invalid, "the base URL must be https, as the key travels with every request").At("base_url")
	}
	return nil
}

// Remove takes an upstream away, with its credential.
func (s *Service) Remove(ctx context.Context, who caller.Caller, o id.Organization, u id.Upstream) error {
	if err := access.Check(who, caller.ManageUpstreams, o); err != nil {
		return err
	}
	return s.Store.Remove(ctx, o, u, audit.New(who, s.Now(), audit.UpstreamRemoved, string(u), nil).In(o))
}
