package foundry_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/catalogue"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/gateway"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/cloud"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/upstream"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/anthropic"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/azureauth"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/foundry"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/upstreamtest"
)

func made(t *testing.T, s *cloud.Server, byKey bool) *anthropic.Upstream {
	t.Helper()
	cfg := anthropic.Config{Name: "main", BaseURL: s.URL + "/anthropic", Models: map[string]string{"claude-opus-4-8": "our-opus"}}
	if byKey {
		cfg.Key = secret.New(cloud.FoundryKey)
	} else {
		a, err := azureauth.New(azureauth.Config{Tenant: cloud.Tenant, Client: cloud.Client, Secret: secret.New(cloud.ClientSecret), Authority: s.URL, Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		cfg.Credential = a
	}
	u, err := foundry.New(cfg, catalogue.Default())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(u.Close)
	return u
}

func TestSuite(t *testing.T) {
	t.Parallel()
	for name, byKey := range map[string]bool{"key": true, "Entra": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			upstreamtest.Run(t, func(t *testing.T) upstreamtest.Subject {
				s := cloud.New(t)
				s.Model.Respond(upstream.Slowly)
				return upstreamtest.Subject{Upstream: made(t, s, byKey), Model: "claude-opus-4-8", Slow: "slowly"}
			})
		})
	}
}

func ask(t *testing.T, u gateway.Upstream, header http.Header) (int, string) {
	t.Helper()
	const body = `{"model":"claude-opus-4-8[1m]", "max_tokens":1,"messages":[ ],"speed":"fast"}`
	answer, err := u.Send(t.Context(), gateway.NewCall(gateway.Call{Operation: gateway.Messages, Model: "claude-opus-4-8[1m]", Header: header, Query: "beta=true"}, []byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.Status, string(said)
}

// The deployment's name stands for the model, and betas that Foundry does not know
// are left out with what needs them.
func TestWhatIsSent(t *testing.T) {
	t.Parallel()
	s := cloud.New(t)
	s.Refused = []string{"fast-mode-2026-02-01", "oauth-2025-04-20"}
	status, said := ask(t, made(t, s, true), http.Header{"Anthropic-Version": {"2023-06-01"}, "Anthropic-Beta": {"fast-mode-2026-02-01,effort-2025-11-24", "oauth-2025-04-20"}})
	if status != http.StatusOK {
		t.Fatalf("answered %d %s", status, said)
	}
	seen := s.Seen()[0]
	if string(seen.Body) != `{"model":"our-opus","max_tokens":1,"messages":[ ]}` || seen.Header.Get("Anthropic-Beta") != "effort-2025-11-24" || seen.Header.Get("Anthropic-Version") != "2023-06-01" {
		t.Errorf("sent %s, %v", seen.Body, seen.Header)
	}
}

func TestATokenThatRunsOut(t *testing.T) {
	t.Parallel()
	s := cloud.New(t)
	u := made(t, s, false)
	ask(t, u, nil)
	s.ExpireAll()
	if status, said := ask(t, u, nil); status != http.StatusOK || s.Asked("entra") != 2 {
		t.Errorf("answered %d %s after %d tokens", status, said, s.Asked("entra"))
	}
	s.ExpireAll()
	s.Break("entra")
	_, err := u.Send(t.Context(), gateway.NewCall(gateway.Call{Operation: gateway.Messages, Model: "claude-opus-4-8"}, []byte(`{"model":"claude-opus-4-8"}`)))
	if !fault.Is(err, fault.Unavailable) || strings.Contains(err.Error(), cloud.Tenant) {
		t.Errorf("%v", err)
	}
}
