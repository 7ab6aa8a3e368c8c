package upstream

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"slices"
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
	Anthropic    Provider = "anthropic"      // the Anthropic Messages API, at any address
	AnthropicAWS Provider = "anthropic-aws"  // Claude Platform on AWS
	Bedrock      Provider = "bedrock"        // Amazon Bedrock's runtime
	Mantle       Provider = "bedrock-mantle" // Amazon Bedrock's Messages endpoint
	Vertex       Provider = "vertex"         // Claude on Google Cloud
	Foundry      Provider = "foundry"        // Claude in Microsoft Foundry
	Simulated    Provider = "simulated"      // no model at all: answers made here
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
	Settings     Settings
	Place        int64 // in the order of preference, the smallest first
	CreatedAt    time.Time
	Version      int64 // counts its changes, from 1
}

// Store is what the package needs stored. Credentials are sealed by it.
type Store interface {
	Upstreams(ctx context.Context, o id.Organization) ([]Upstream, error) // in order
	// Add adds an upstream at the end of the order. It fails with NameTaken.
	Add(ctx context.Context, u Upstream, e audit.Event) error
	// Change stores everything of an upstream but its name, provider and place. It
	// fails with Changed if it has another version by now.
	Change(ctx context.Context, u Upstream, e audit.Event) error
	Remove(ctx context.Context, o id.Organization, u id.Upstream, e audit.Event) error
	// Place gives the upstreams of an organization an order. It fails with
	// fault.Conflict if they are not those that there are.
	Place(ctx context.Context, o id.Organization, order []id.Upstream, e audit.Event) error
}

// Prober asks an upstream for one token.
type Prober interface {
	Probe(ctx context.Context, u Upstream, model string) Probe
}

// Probe is what came of that.
type Probe struct {
	Model   string
	Answer  string // what the model said; "": it said nothing
	Status  int    // of the provider; 0: there was no answer
	Problem string // "": all is well
	Hint    string
	Took    time.Duration
	Expires time.Time // of the credential; zero: it does not
}

// without is the probe with nothing of a credential in it: an upstream that refuses
// a key may say which it was, to whoever asks for a test.
func (p Probe) without(credential secret.Text) Probe {
	if !credential.Empty() {
		for _, said := range []*string{&p.Answer, &p.Problem, &p.Hint} {
			*said = strings.ReplaceAll(*said, credential.Reveal(), "…")
		}
	}
	return p
}

// Health is how an upstream has been doing for the requests of one node.
type Health struct {
	Expires time.Time // of the credential that it has now; zero: it does not end, or nobody needed it yet
	Problem string    // why it has no new credential; "": it has what it needs
	Resting []string  // models for which it is passed over, because too much has failed
	Until   time.Time // when the first of them is tried again
	Failed  int       // of the last requests to it
}

// Watcher says how upstreams do, by their names. Of one that nobody has used since its
// settings changed there is nothing to say.
type Watcher interface {
	Health(o id.Organization) map[string]Health
}

// Health says how an organization's upstreams do, on the node that is asked.
func (s *Service) Health(_ context.Context, who caller.Caller, o id.Organization) (map[string]Health, error) {
	if err := access.Check(who, caller.ManageUpstreams, o); err != nil {
		return nil, err
	}
	if s.Watcher == nil {
		return nil, nil
	}
	return s.Watcher.Health(o), nil
}

// Service keeps upstreams. Its fields must be set before use.
type Service struct {
	Store Store
	Now   func() time.Time
	// Ambient says that upstreams may use the credentials of this server's own
	// environment: every owner of an organization may then.
	Ambient bool
	Prober  Prober  // of Test
	Watcher Watcher // of Health; nil: there is nothing to say
}

// New is what is asked when an upstream is connected.
type New struct {
	Name       string
	Provider   Provider
	BaseURL    string // empty: the provider's own
	Credential secret.Text
	Settings   Settings
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
		BaseURL: trimURL(in.BaseURL), Credential: in.Credential, Settings: in.Settings, CreatedAt: s.Now(), Version: 1}
	if err := s.admit(&u); err != nil {
		return Upstream{}, err
	}
	if err := s.name(ctx, o, &u, in.Name != ""); err != nil {
		return Upstream{}, err
	}
	e := audit.New(who, s.Now(), audit.UpstreamConnected, string(u.ID), audit.Detail{"name": u.Name, "provider": string(u.Provider), "base_url": u.BaseURL}).In(o)
	err := s.Store.Add(ctx, u, e)
	u.Credential = secret.Text{}
	return u, err
}

func trimURL(typed string) string { return strings.TrimRight(strings.TrimSpace(typed), "/") }

// admit checks what an upstream is to be.
func (s *Service) admit(u *Upstream) error {
	if err := check(u); err != nil {
		return err
	}
	return s.Lends(*u)
}

// Lends fails with fault.Invalid for an upstream that wants a credential of this server's
// own which it does not get, or not there. What is stored may be from a time in which
// it did.
func (s *Service) Lends(u Upstream) error {
	if u.Settings.Way != WayAmbient {
		return nil
	}
	if u.BaseURL != "" {
		if err := checkLent(&u); err != nil {
			return err
		}
	}
	if !s.Ambient {
		return fault.New(fault.Invalid, "this server does not lend its own credentials").At("way").
			WithHint("whoever runs the server can set upstreams.ambient, where every owner of an organization may use them")
	}
	return nil
}

// maxUpstreams bounds what every request chooses from.
const maxUpstreams = 100

// NameTaken is the error of a name that another upstream has.
func NameTaken() error {
	return fault.New(fault.Invalid, "there is an upstream of this name already").At("name")
}

// name sees to it that no two upstreams of an organization have one name: by it the
// ledger and the answers say which it was.
func (s *Service) name(ctx context.Context, o id.Organization, u *Upstream, chosen bool) error {
	all, err := s.Store.Upstreams(ctx, o)
	if err != nil {
		return err
	}
	taken := func(name string) bool {
		return slices.ContainsFunc(all, func(other Upstream) bool { return other.Name == name })
	}
	if len(all) >= maxUpstreams {
		return fault.New(fault.Conflict, "there are %d upstreams already, and there can be no more", len(all)).WithHint("remove one that is not needed")
	}
	if taken(u.Name) && chosen {
		return NameTaken()
	}
	for base, n := u.Name, 2; taken(u.Name); n++ {
		u.Name = fmt.Sprintf("%s %d", base, n)
	}
	return nil
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
		u.BaseURL, u.Credential, u.Settings = "", secret.Text{}, Settings{}
		return nil
	case Anthropic, AnthropicAWS, Bedrock, Mantle, Vertex, Foundry:
	default:
		return fault.New(fault.Invalid, "there is no provider %q", u.Provider).At("provider")
	}
	if !slices.Contains(ways[u.Provider], u.Settings.Way) {
		return fault.New(fault.Invalid, "%s is not entered like that", u.Provider).At("way")
	}
	if u.BaseURL == "" && u.Provider == Anthropic {
		u.BaseURL = AnthropicURL
	}
	if u.BaseURL != "" {
		if err := checkURL(u.BaseURL); err != nil {
			return err
		}
	}
	if err := checkSettings(u); err != nil {
		return err
	}
	return checkCredential(u)
}

// ways are those into each provider.
var ways = map[Provider][]Way{
	Anthropic:    {WayKey, WayIssuer, WayAmbient},
	AnthropicAWS: {WayKey, WayAccess, WayAmbient},
	Bedrock:      {WayKey, WayAccess, WayAmbient},
	Mantle:       {WayKey, WayAccess, WayAmbient},
	Vertex:       {WayKey, WayAccount, WayAmbient}, // there is no key but an account's
	Foundry:      {WayKey, WayAccount, WayAmbient},
}

const maxCredential = 16 << 10

func checkCredential(u *Upstream) error {
	text := u.Credential.Reveal()
	switch {
	case u.Settings.Way == WayAmbient, u.Settings.Way == WayIssuer:
		u.Credential = secret.Text{}
		return nil
	case u.Provider == Vertex:
		if !json.Valid([]byte(text)) || len(text) > maxCredential {
			return fault.New(fault.Invalid, "the JSON file of a service account's key is needed, whole").At("credential")
		}
		return nil
	}
	if text == "" || len(text) > 4096 || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return fault.New(fault.Invalid, "a key or secret of the provider is needed, without spaces").At("credential")
	}
	return nil
}

// checkURL wants https, but for this machine itself: a key in the clear is
// everybody's.
func checkURL(raw string) error {
	u, err := url.Parse(raw)
	if err != nil || !oneReading(u) || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || (u.Scheme != "https" && u.Scheme != "http") {
		return fault.New(fault.Invalid, "the base URL must look like https://host or https://host/path").At("base_url")
	}
	a, err := netip.ParseAddr(u.Hostname())
	if u.Scheme == "http" && u.Hostname() != "localhost" && (err != nil || !a.IsLoopback()) {
		return fault.New(fault.Invalid, "the base URL must be https, as the key travels with every request").At("base_url")
	}
	return nil
}

// oneReading reports whether a path has no empty segment and none of dots: read as a
// reference, "//host" is another host.
func oneReading(u *url.URL) bool {
	return u.Path == "" || u.Path == path.Clean(u.Path) && u.Path[0] == '/' && !strings.Contains(u.Path, "\\")
}

// homes are the addresses that may hear a credential which this server lends: those of
// the provider's API, and none that a customer of the provider's can have. AWS is not
// among them: a signature is for one host, and worth nothing to another.
var homes = map[Provider]func() *regexp.Regexp{
	Anthropic: form(`api\.anthropic\.com`),
	Vertex:    form(`(?:[a-z0-9-]+-)?aiplatform\.googleapis\.com|aiplatform\.[a-z0-9-]+\.rep\.googleapis\.com|aiplatform-[a-z0-9-]+\.p\.googleapis\.com`),
	Foundry:   form(`[a-z0-9-]+\.(?:services\.ai|openai|cognitiveservices)\.azure\.(?:com|us)`),
}

// checkLent keeps what is this server's own from whoever an owner names.
func checkLent(u *Upstream) error {
	own := homes[u.Provider]
	if u.Settings.Way != WayAmbient || own == nil {
		return nil
	}
	to, err := url.Parse(u.BaseURL)
	if err == nil && own().MatchString(strings.ToLower(to.Hostname())) {
		return nil
	}
	return fault.New(fault.Invalid, "this server sends its own credentials only to the provider's own addresses").At("base_url")
}

// Remove takes an upstream away, with its credential.
func (s *Service) Remove(ctx context.Context, who caller.Caller, o id.Organization, u id.Upstream) error {
	if err := access.Check(who, caller.ManageUpstreams, o); err != nil {
		return err
	}
	return s.Store.Remove(ctx, o, u, audit.New(who, s.Now(), audit.UpstreamRemoved, string(u), nil).In(o))
}

// Move puts an upstream one place forward or back in the order. At the end of it
// nothing changes.
func (s *Service) Move(ctx context.Context, who caller.Caller, o id.Organization, u id.Upstream, forward bool) error {
	if err := access.Check(who, caller.ManageUpstreams, o); err != nil {
		return err
	}
	all, err := s.Store.Upstreams(ctx, o)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(all, func(one Upstream) bool { return one.ID == u })
	if at < 0 {
		return fault.New(fault.NotFound, "there is no such upstream, or it was removed already")
	}
	to := at + 1
	if forward {
		to = at - 1
	}
	if to < 0 || to >= len(all) {
		return nil
	}
	all[at], all[to] = all[to], all[at]
	return s.place(ctx, who, o, u, all)
}

// Order puts the upstreams of an organization into an order that names each of
// them once. If it names others than there are, somebody has connected or removed
// one meanwhile, and nothing changes.
func (s *Service) Order(ctx context.Context, who caller.Caller, o id.Organization, order []id.Upstream) error {
	if err := access.Check(who, caller.ManageUpstreams, o); err != nil {
		return err
	}
	all, err := s.Store.Upstreams(ctx, o)
	if err != nil {
		return err
	}
	stood := func(u Upstream) int { return slices.Index(order, u.ID) }
	was := slices.Clone(all)
	slices.SortStableFunc(all, func(a, b Upstream) int { return stood(a) - stood(b) })
	if !slices.EqualFunc(all, order, func(u Upstream, want id.Upstream) bool { return u.ID == want }) {
		return fault.New(fault.Conflict, "these are not the upstreams that there are, each of them once").WithHint("list them, and name them all")
	}
	if len(all) == 0 || slices.EqualFunc(all, was, func(a, b Upstream) bool { return a.ID == b.ID }) {
		return nil
	}
	return s.place(ctx, who, o, order[0], all)
}

// place gives upstreams the order in which they are here. The record says it of
// one of them.
func (s *Service) place(ctx context.Context, who caller.Caller, o id.Organization, u id.Upstream, all []Upstream) error {
	var order []id.Upstream
	var names []string
	for _, one := range all {
		order, names = append(order, one.ID), append(names, one.Name)
	}
	return s.Store.Place(ctx, o, order, audit.New(who, s.Now(), audit.UpstreamMoved, string(u), audit.Detail{"order": strings.Join(names, ", ")}).In(o))
}

// Test asks an upstream for one token of a model.
func (s *Service) Test(ctx context.Context, who caller.Caller, o id.Organization, u id.Upstream, model string) (Upstream, Probe, error) {
	if err := access.Check(who, caller.ManageUpstreams, o); err != nil {
		return Upstream{}, Probe{}, err
	}
	found, err := s.find(ctx, o, u)
	if err != nil {
		return Upstream{}, Probe{}, err
	}
	if s.Prober == nil {
		return Upstream{}, Probe{}, fault.New(fault.Unsupported, "this server cannot ask an upstream by itself")
	}
	probe := s.Prober.Probe(ctx, found, model).without(found.Credential)
	found.Credential = secret.Text{}
	return found, probe, nil
}

func (s *Service) find(ctx context.Context, o id.Organization, u id.Upstream) (Upstream, error) {
	all, err := s.Store.Upstreams(ctx, o)
	if err != nil {
		return Upstream{}, err
	}
	at := slices.IndexFunc(all, func(one Upstream) bool { return one.ID == u })
	if at < 0 {
		return Upstream{}, fault.New(fault.NotFound, "there is no such upstream, or it was removed already")
	}
	return all[at], nil
}
