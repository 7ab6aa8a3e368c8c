package server_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/nodes"
	testupstream "github.com/gatehouse-dev/gatehouse/internal/testkit/upstream"
	"github.com/gatehouse-dev/gatehouse/internal/upstream"
)

// TestUpstreamsShareAQuota lets two upstreams of one account draw from a pool, and a
// third answer what is more.
func TestUpstreamsShareAQuota(t *testing.T) {
	t.Parallel()
	shared, alone := testupstream.New(t), testupstream.New(t)
	w := nodes.Start(t, nodes.Options{UpstreamURL: shared.URL})
	o, rooms, system := w.Sample.Organization, w.Server.Rooms(), caller.OfSystem(w.Sample.Organization)
	before, err := rooms.Upstreams.List(t.Context(), system, o)
	must(t, err)
	for _, u := range before {
		must(t, rooms.Upstreams.Remove(t.Context(), system, o, u.ID))
	}
	for _, in := range []struct {
		name, url string
		settings  upstream.Settings
	}{
		{"one", shared.URL, upstream.Settings{Pool: "account", RequestsPerMinute: 3}},
		{"two", shared.URL, upstream.Settings{Pool: "account", RequestsPerMinute: 1000}},
		{"three", alone.URL, upstream.Settings{RequestsPerMinute: 2}},
	} {
		_, err := rooms.Upstreams.Connect(t.Context(), system, o, upstream.New{Name: in.name, Provider: upstream.Anthropic, BaseURL: in.url, Credential: secret.New(testupstream.Key), Settings: in.settings})
		must(t, err)
	}
	waitFor(t, "the new upstreams", func() bool {
		return send(t, http.MethodPost, w.URL+"/v1/messages/count_tokens", "application/json", hello, http.Header{"Authorization": {"Bearer " + w.Sample.APIKey.Reveal()}}).header.Get("X-Gatehouse-Upstream") == "one"
	})
	var got []int
	for range 6 {
		got = append(got, ask(t, w.URL, w.Sample.APIKey.Reveal()))
	}
	if a, b := shared.Count(testupstream.Messages), alone.Count(testupstream.Messages); a != 3 || b != 2 || got[4] != http.StatusOK || got[5] != http.StatusTooManyRequests {
		t.Errorf("answered %v; the account was asked %d times, the other %d", got, a, b)
	}
}

// TestSettingsOfUpstreams are refused where the provider could not mean them.
func TestSettingsOfUpstreams(t *testing.T) {
	t.Parallel()
	w := nodes.Start(t, nodes.Options{})
	o, rooms := w.Sample.Organization, w.Server.Rooms()
	bedrock := upstream.Settings{Region: "eu-central-1"}
	with := func(change func(*upstream.Settings)) upstream.Settings {
		s := bedrock
		change(&s)
		return s
	}
	for where, in := range map[string]upstream.Settings{
		"guardrail_version":   with(func(s *upstream.Settings) { s.Guardrail = "abc" }),
		"guardrail":           with(func(s *upstream.Settings) { s.GuardrailVersion = "1" }),
		"region":              with(func(s *upstream.Settings) { s.Region = "eu central" }),
		"pool":                with(func(s *upstream.Settings) { s.Pool = "a b" }),
		"requests_per_minute": with(func(s *upstream.Settings) { s.RequestsPerMinute = -1 }),
		"tokens_per_minute":   with(func(s *upstream.Settings) { s.TokensPerMinute = 2_000_000_000 }),
	} {
		_, err := rooms.Upstreams.Connect(t.Context(), caller.OfSystem(o), o, upstream.New{Provider: upstream.Bedrock, Credential: secret.New("key"), Settings: in})
		if f, ok := errors.AsType[*fault.Error](err); !ok || f.Kind != fault.Invalid || f.Field != where {
			t.Errorf("%s: %v", where, err)
		}
	}
	good := with(func(s *upstream.Settings) {
		s.Guardrail, s.GuardrailVersion = " arn:aws:bedrock:eu-central-1:123456789012:guardrail/abc ", "DRAFT"
	})
	kept, err := rooms.Upstreams.Connect(t.Context(), caller.OfSystem(o), o, upstream.New{Provider: upstream.Bedrock, Credential: secret.New("key"), Settings: good})
	if err != nil || kept.Settings.Guardrail != "arn:aws:bedrock:eu-central-1:123456789012:guardrail/abc" {
		t.Errorf("kept %+v, %v", kept.Settings, err)
	}
	good.Guardrail = ""
	if kept, err = rooms.Upstreams.Connect(t.Context(), caller.OfSystem(o), o, upstream.New{Provider: upstream.Mantle, Credential: secret.New("key"), Settings: good}); err != nil || kept.Settings.GuardrailVersion != "" {
		t.Errorf("kept of what another provider has: %+v, %v", kept.Settings, err)
	}
}
