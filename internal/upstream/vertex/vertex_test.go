package vertex_test

import (
	"encoding/json"
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
	"github.com/gatehouse-dev/gatehouse/internal/upstream/googleauth"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/origin"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/upstreamtest"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/vertex"
)

const model = "claude-sonnet-4-5-20250929"

func made(t *testing.T, s *cloud.Server, impersonate string) *vertex.Upstream {
	t.Helper()
	a, err := googleauth.New(googleauth.Config{Key: secret.New(s.Key()), Impersonate: impersonate, TokenURL: s.URL + "/token", IAMURL: s.URL, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	u, err := vertex.New(vertex.Config{Name: "main", Project: cloud.Project, Region: cloud.Region, Catalogue: catalogue.Default(), Auth: a, Origin: origin.Config{URL: s.URL}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(u.Close)
	return u
}

func TestSuite(t *testing.T) {
	t.Parallel()
	for name, impersonate := range map[string]string{"key": "", "impersonation": cloud.Account} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			upstreamtest.Run(t, func(t *testing.T) upstreamtest.Subject {
				s := cloud.New(t)
				s.Model.Respond(upstream.Slowly)
				return upstreamtest.Subject{Upstream: made(t, s, impersonate), Model: model, Slow: "slowly"}
			})
		})
	}
}

func call(body string, stream bool, header http.Header) *gateway.Call {
	var asked struct{ Model string }
	_ = json.Unmarshal([]byte(body), &asked)
	return gateway.NewCall(gateway.Call{Operation: gateway.Messages, Model: asked.Model, Stream: stream, Header: header, Query: "beta=true"}, []byte(body))
}

func send(t *testing.T, u gateway.Upstream, c *gateway.Call) (*gateway.Answer, string) {
	t.Helper()
	answer, err := u.Send(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(body)
}

func TestWhatIsSent(t *testing.T) {
	t.Parallel()
	s := cloud.New(t)
	s.Refused = []string{"files-api-2025-04-14", "mcp-client-2025-11-20", "oauth-2025-04-20", "advanced-tool-use-2025-11-20"}
	system := `[ {"type":"text", "text":"a\u0062c é"} ,{"type":"text","text":"x","cache_control":{"type":"ephemeral","ttl":"1h"}}]`
	body := `{"model":"claude-haiku-4-5", "system":` + system + `,"messages":[ ],"max_tokens":9,"stream":true,"mcp_servers":[{"url":"x"}]}`
	answer, _ := send(t, made(t, s, ""), call(body, true, http.Header{"Anthropic-Version": {"2023-06-01"},
		"Anthropic-Beta": {"context-1m-2025-08-07, oauth-2025-04-20,mcp-client-2025-11-20", "advanced-tool-use-2025-11-20,tomorrow-2027-01-01"}}))
	if answer.Status != http.StatusOK {
		t.Errorf("answered %d", answer.Status)
	}
	seen := s.Seen()[0]
	if want := `{"anthropic_version":"vertex-2023-10-16","system":` + system + `,"messages":[ ],"max_tokens":9,"stream":true}`; string(seen.Body) != want {
		t.Errorf("sent\n%s\nwant\n%s", seen.Body, want)
	}
	if seen.Path != "/v1/projects/test-project/locations/eu-central-1/publishers/anthropic/models/claude-haiku-4-5@20251001:streamRawPredict" {
		t.Errorf("sent to %s", seen.Path)
	}
	if got := seen.Header.Get("Anthropic-Beta"); got != "context-1m-2025-08-07,tool-search-tool-2025-10-19,tomorrow-2027-01-01" {
		t.Errorf("betas: %s", got)
	}
}

func TestATokenThatRunsOut(t *testing.T) {
	t.Parallel()
	s := cloud.New(t)
	u := made(t, s, "")
	body := `{"model":"` + model + `","max_tokens":1,"messages":[]}`
	send(t, u, call(body, false, nil))
	s.ExpireAll()
	if answer, said := send(t, u, call(body, false, nil)); answer.Status != http.StatusOK || s.Asked("google") != 2 {
		t.Errorf("answered %d %s after %d tokens", answer.Status, said, s.Asked("google"))
	}
	s.ExpireAll()
	s.Break("google")
	_, err := u.Send(t.Context(), call(body, false, nil))
	if !fault.Is(err, fault.Unavailable) || strings.Contains(err.Error(), cloud.Account) {
		t.Errorf("%v", err)
	}
}

// The file of a key may name any address and any program: only the account and
// the key in it are used.
func TestKeys(t *testing.T) {
	t.Parallel()
	for name, key := range map[string]string{
		"no JSON": "x", "a person's": `{"type":"authorized_user","client_email":"a@b","private_key":"k"}`,
		"a program": `{"type":"external_account","credential_source":{"executable":{"command":"/bin/sh"}}}`, "no account": `{"type":"service_account","private_key":"k"}`,
	} {
		if _, err := googleauth.New(googleauth.Config{Key: secret.New(key), Now: time.Now}); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestGooglesErrors(t *testing.T) {
	t.Parallel()
	s := cloud.New(t)
	s.Model.Always(upstream.Plan{Status: 429, Body: `[{"error":{"code":429,"message":"Quota exceeded for aiplatform.googleapis.com with base model: x in projects/test-project","status":"RESOURCE_EXHAUSTED"}}]`})
	answer, body := send(t, made(t, s, ""), call(`{"model":"`+model+`","max_tokens":1,"messages":[]}`, false, nil))
	if answer.Status != 429 || !strings.Contains(body, `"rate_limit_error"`) || strings.Contains(body, cloud.Project) {
		t.Errorf("answered %d %s", answer.Status, body)
	}
	s.Model.Always(upstream.Plan{Status: 502, Body: `<html><title>502</title></html>`})
	if answer, body = send(t, made(t, s, ""), call(`{"model":"`+model+`","max_tokens":1,"messages":[]}`, false, nil)); answer.Status != 502 || !strings.Contains(body, `"api_error"`) || strings.Contains(body, "html") {
		t.Errorf("answered %d %s", answer.Status, body)
	}
}

func TestEndpoint(t *testing.T) {
	t.Parallel()
	for region, want := range map[string]string{"global": "https://aiplatform.googleapis.com", "eu": "https://aiplatform.eu.rep.googleapis.com",
		"europe-west1": "https://europe-west1-aiplatform.googleapis.com"} {
		if got := vertex.Endpoint(region); got != want {
			t.Errorf("%s: %s", region, got)
		}
	}
}
