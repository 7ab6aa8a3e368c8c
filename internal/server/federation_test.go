package server_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/server"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/cloud"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/nodes"
	testupstream "github.com/gatehouse-dev/gatehouse/internal/testkit/upstream"
	"github.com/gatehouse-dev/gatehouse/internal/upstream"
)

func federatedUpstream(s *sky, way upstream.Way) upstream.New {
	return upstream.New{Name: "anthropic without a key", Provider: upstream.Anthropic, BaseURL: s.cloud.URL,
		Settings: upstream.Settings{Way: way, FederationRule: cloud.FederationRule, AnthropicOrg: cloud.AnthropicOrg, ServiceAccount: cloud.ServiceAccount}}
}

// TestAnthropicWithoutAKey gets in at the Anthropic API with tokens that the server
// signs, and of which every exchange needs a new one.
func TestAnthropicWithoutAKey(t *testing.T) {
	nodes.Each(t, func(t *testing.T, database string) {
		s := newSky(t, database)
		o := s.Sample.Organization
		s.cloud.Trusted.Server = "server:" + string(o)
		rooms, system := s.Server.Rooms(), caller.OfSystem(o)
		before, err := rooms.Upstreams.List(t.Context(), system, o)
		must(t, err)
		for _, old := range before {
			must(t, rooms.Upstreams.Remove(t.Context(), system, o, old.ID))
		}
		in := federatedUpstream(s, upstream.WayIssuer)
		in.Credential = secret.New("sk-ant-api03-of-old")
		u, err := rooms.Upstreams.Connect(t.Context(), system, o, in)
		must(t, err)
		kept, err := rooms.Upstreams.List(t.Context(), system, o)
		if must(t, err); len(kept) != 1 || !kept[0].Credential.Empty() {
			t.Errorf("kept are %+v", kept)
		}
		if _, found, err := rooms.Upstreams.Test(t.Context(), system, o, u.ID, ""); err != nil || found.Problem != "" || found.Expires.IsZero() {
			t.Fatalf("the test says %+v, %v", found, err)
		}
		waitFor(t, "the upstream to be used", func() bool { return ask(t, s.URL, s.access) == http.StatusOK })
		asked := s.cloud.Asked("anthropic")
		if got := ask(t, s.URL, s.access); got != http.StatusOK || s.cloud.Asked("anthropic") != asked {
			t.Errorf("a second request: %d, after %d exchanges and not %d", got, s.cloud.Asked("anthropic"), asked)
		}
		s.cloud.ExpireAll() // before their time: a 401 renews
		if got := ask(t, s.URL, s.access); got != http.StatusOK || s.cloud.Asked("anthropic") != asked+1 {
			t.Errorf("after a refusal: %d, %d exchanges more", got, s.cloud.Asked("anthropic")-asked)
		}
		s.cloud.ExpireAll()
		s.cloud.Break("anthropic")
		if got := ask(t, s.URL, s.access); got != http.StatusServiceUnavailable {
			t.Errorf("without a token: %d", got)
		}
		health, err := rooms.Upstreams.Health(t.Context(), system, o)
		if must(t, err); health[in.Name].Problem == "" {
			t.Errorf("the health is %+v", health)
		}
		for _, seen := range s.cloud.Seen() {
			if strings.Contains(strings.Join(seen.Header["Authorization"], ""), s.access) {
				t.Error("the member's credential went out")
			}
		}
		if strings.Contains(s.Logs.String(), "eyJ") || strings.Contains(s.Logs.String(), "token-") {
			t.Error("a token is in the log")
		}
	})
}

// TestTheIdentityThatAServerLends is the token that its environment has, and that goes
// to nobody whom an owner names.
func TestTheIdentityThatAServerLends(t *testing.T) {
	t.Parallel()
	s := newSky(t, "")
	o, rooms := s.Sample.Organization, s.Server.Rooms()
	owner := caller.OfSystem(o)
	in := federatedUpstream(s, upstream.WayAmbient)
	for _, address := range []string{s.cloud.URL, "https://evil.example.com", "https://notanthropic.com", "https://anthropic.com.evil.example.com", "https://api.anthropic.com@evil.example.com",
		"https://status.anthropic.com", "https://api.anthropic.com//evil.example.com", "https://api.anthropic.com/%2f/evil.example.com", "https://api.anthropic.com/../x"} {
		in.BaseURL = address
		if _, err := rooms.Upstreams.Connect(t.Context(), owner, o, in); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", address, err)
		}
	}
	in.BaseURL = "https://api.anthropic.com"
	if _, err := rooms.Upstreams.Connect(t.Context(), owner, o, in); !fault.Is(err, fault.Invalid) || !strings.Contains(fault.Message(err), "lend") {
		t.Errorf("where nothing is lent: %v", err)
	}
	for _, in := range []upstream.New{
		{Provider: upstream.Vertex, BaseURL: "https://evil.example.com", Settings: upstream.Settings{Way: upstream.WayAmbient, Project: "my-project", Region: "global"}},
		{Provider: upstream.Vertex, BaseURL: "https://aiplatform.googleapis.com//evil.example.com", Settings: upstream.Settings{Way: upstream.WayAmbient, Project: "my-project", Region: "global"}},
		{Provider: upstream.Vertex, BaseURL: "https://bucket.storage.googleapis.com", Settings: upstream.Settings{Way: upstream.WayAmbient, Project: "my-project", Region: "global"}},
		{Provider: upstream.Foundry, BaseURL: "https://evil.westeurope.cloudapp.azure.com", Settings: upstream.Settings{Way: upstream.WayAmbient, Resource: "r"}},
		{Provider: upstream.Foundry, BaseURL: "https://evil.example.com", Settings: upstream.Settings{Way: upstream.WayAmbient, Resource: "r"}},
	} {
		if _, err := rooms.Upstreams.Connect(t.Context(), owner, o, in); !fault.Is(err, fault.Invalid) || strings.Contains(fault.Message(err), "lend") {
			t.Errorf("%s at an address of an owner's: %v", in.Provider, err)
		}
	}
}

// TestNothingIsLentAnyMore has upstreams stored from when the server lent what is its
// own: they are asked no more, the next one is, and the page says why.
func TestNothingIsLentAnyMore(t *testing.T) {
	t.Parallel()
	up := testupstream.New(t)
	w := nodes.Start(t, nodes.Options{UpstreamURL: up.URL})
	o, rooms, system := w.Sample.Organization, w.Server.Rooms(), caller.OfSystem(w.Sample.Organization)
	all, err := rooms.Upstreams.List(t.Context(), system, o)
	must(t, err)
	lending := *rooms.Upstreams
	lending.Ambient = true
	old, err := lending.Connect(t.Context(), system, o, upstream.New{Name: "lent", Provider: upstream.Foundry, BaseURL: "https://our.services.ai.azure.com", Settings: upstream.Settings{Way: upstream.WayAmbient, Resource: "our"}})
	must(t, err)
	must(t, rooms.Upstreams.Order(t.Context(), system, o, []id.Upstream{old.ID, all[0].ID}))
	waitFor(t, "the order to be known", func() bool {
		health, err := rooms.Upstreams.Health(t.Context(), system, o)
		must(t, err)
		return ask(t, w.URL, w.Sample.APIKey.Reveal()) == http.StatusOK && strings.Contains(health["lent"].Problem, "does not lend")
	})
	_, tested, err := rooms.Upstreams.Test(t.Context(), system, o, old.ID, "")
	if err != nil || !strings.Contains(tested.Problem, "does not lend") || tested.Status != 0 {
		t.Errorf("tested: %+v, %v", tested, err)
	}
}

// TestLentIdentityIsRead gives the server a file as a cluster does.
func TestLentIdentityIsRead(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "token")
	w := nodes.Start(t, nodes.Options{Change: func(c *server.Config) { c.IdentityTokenFile = file }})
	for _, content := range []string{"first", " second\n"} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := w.Server.LentIdentity(t.Context()); err != nil || got.Reveal() != strings.TrimSpace(content) {
			t.Errorf("%q is read as %q, %v", content, got.Reveal(), err)
		}
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Server.LentIdentity(t.Context()); err == nil {
		t.Error("a file that is gone is a token")
	}
}

// TestNobodyVouchesForTheServer lets only the server have its own tokens made.
func TestNobodyVouchesForTheServer(t *testing.T) {
	t.Parallel()
	s := newSky(t, "")
	o := s.Sample.Organization
	rooms := s.Server.Rooms()
	if _, err := rooms.CloudAccess.Vouch(t.Context(), caller.Caller{Kind: caller.Member, Organization: o, Member: "user_1", Rights: caller.RightsOf(caller.UseModels)}, s.cloud.URL); !fault.Is(err, fault.Denied) {
		t.Errorf("a member got one: %v", err)
	}
	token, err := rooms.CloudAccess.Vouch(t.Context(), caller.OfSystem(o), s.cloud.URL)
	if err != nil {
		t.Fatal(err)
	}
	said := claimsOf(t, token.Value.Reveal())
	if said["sub"] != "server:"+string(o) || said["aud"] != s.cloud.URL || said["iss"] != s.URL+"/oidc/"+string(o) || said["jti"] == "" || token.Expires.Sub(s.Clock.Now()) > 10*time.Minute {
		t.Errorf("it says %v", said)
	}
}
