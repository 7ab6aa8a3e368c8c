package bedrock_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/catalogue"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/gateway"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/cloud"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/upstream"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/awsauth"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/bedrock"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/origin"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/upstreamtest"
)

const model = "claude-sonnet-4-5-20250929"

func made(t *testing.T, s *cloud.Server, auth awsauth.Config) *bedrock.Upstream {
	t.Helper()
	auth.Region, auth.Service, auth.STS = cloud.Region, bedrock.Service, s.URL+"/sts"
	if auth.Now == nil {
		auth.Now = time.Now
	}
	a, err := awsauth.New(auth)
	if err != nil {
		t.Fatal(err)
	}
	u, err := bedrock.New(bedrock.Config{Name: "main", Region: cloud.Region, Geography: "eu", Catalogue: catalogue.Default(), Auth: a,
		Models: map[string]string{"claude-own": "arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/abc"}, Origin: origin.Config{URL: s.URL}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(u.Close)
	return u
}

var ways = map[string]awsauth.Config{
	"bearer":     {Bearer: secret.New(cloud.BearerKey)},
	"access key": {Static: awsauth.Key{ID: cloud.AccessKey, Secret: secret.New(cloud.SecretKey)}},
	"role": {Static: awsauth.Key{ID: cloud.AccessKey, Secret: secret.New(cloud.SecretKey)},
		Role: awsauth.Role{ARN: cloud.RoleARN, ExternalID: cloud.ExternalID, PerMember: true}},
}

func TestSuite(t *testing.T) {
	t.Parallel()
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			upstreamtest.Run(t, func(t *testing.T) upstreamtest.Subject {
				s := cloud.New(t)
				s.Model.Respond(upstream.Slowly)
				return upstreamtest.Subject{Upstream: made(t, s, way), Model: model, Slow: "slowly"}
			})
		})
	}
}

func call(body string, stream bool, header http.Header) *gateway.Call {
	var asked struct{ Model string }
	_ = json.Unmarshal([]byte(body), &asked)
	return gateway.NewCall(gateway.Call{Operation: gateway.Messages, Model: asked.Model, Stream: stream, Header: header, Query: "beta=true",
		Who: caller.Caller{Kind: caller.Member, Organization: "org_1", Member: "user_1", Email: "ada@example.com"}}, []byte(body))
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

// What prompt caching depends on arrives byte for byte; what differs on Bedrock
// differs, and no more.
func TestWhatIsSent(t *testing.T) {
	t.Parallel()
	s := cloud.New(t)
	s.Refused = []string{"files-api-2025-04-14", "mcp-client-2025-11-20", "oauth-2025-04-20"}
	system := `[ {"type":"text", "text":"a\u0062c é"} ,{"type":"text","text":"x","cache_control":{"type":"ephemeral","ttl":"1h"}}]`
	messages := `[{"role":"user","content":[{"type":"text","text":"hi", "cache_control": {"type":"ephemeral"}}]}]`
	body := `{"model":"claude-sonnet-4-5[1m]", "system":` + system + `,"messages":` + messages + `,"max_tokens":9,"stream":true,"mcp_servers":[{"url":"x"}],"metadata":{"user_id":"u"}}`
	answer, _ := send(t, made(t, s, ways["bearer"]), call(body, true, http.Header{"Anthropic-Version": {"2023-06-01"}, "X-Stainless-Os": {"Linux"}, "User-Agent": {"claude-cli/2"},
		"Anthropic-Beta": {"context-1m-2025-08-07, oauth-2025-04-20,mcp-client-2025-11-20", "files-api-2025-04-14,tomorrow-2027-01-01"}}))
	if answer.Status != http.StatusOK || answer.Header.Get("Request-Id") == "" {
		t.Errorf("answered %d %v", answer.Status, answer.Header)
	}
	seen := s.Seen()[0]
	want := `{"anthropic_version":"bedrock-2023-05-31","anthropic_beta":["context-1m-2025-08-07","tomorrow-2027-01-01"],"system":` + system +
		`,"messages":` + messages + `,"max_tokens":9,"metadata":{"user_id":"u"}}`
	if string(seen.Body) != want {
		t.Errorf("sent\n%s\nwant\n%s", seen.Body, want)
	}
	if seen.Path != "/model/eu.anthropic.claude-sonnet-4-5-20250929-v1%3A0/invoke-with-response-stream" {
		t.Errorf("sent to %s", seen.Path)
	}
	for _, name := range []string{"Anthropic-Version", "Anthropic-Beta", "X-Stainless-Os", "X-Api-Key"} {
		if seen.Header.Get(name) != "" {
			t.Errorf("%s was sent", name)
		}
	}
	if seen.Header.Get("User-Agent") != "claude-cli/2" {
		t.Errorf("the client is lost: %v", seen.Header)
	}
}

func TestAProfileByARN(t *testing.T) {
	t.Parallel()
	s := cloud.New(t)
	for name, way := range ways { // an ARN's slash and colons are the hard part of a signature
		answer, body := send(t, made(t, s, way), call(`{"model":"claude-own","max_tokens":1,"messages":[]}`, false, nil))
		if answer.Status != http.StatusOK {
			t.Errorf("%s: answered %d %s", name, answer.Status, body)
		}
	}
	if path := s.Seen()[0].Path; path != "/model/arn%3Aaws%3Abedrock%3Aeu-central-1%3A123456789012%3Aapplication-inference-profile%2Fabc/invoke" {
		t.Errorf("sent to %s", path)
	}
	u := made(t, s, ways["bearer"])
	for _, other := range []string{"arn:aws:bedrock:us-east-1:999999999999:application-inference-profile/theirs", "../../x", "claude-x/../y", "gpt-5", "claude-opus-5"} {
		if _, err := u.Send(t.Context(), call(`{"model":"`+other+`"}`, false, nil)); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v", other, err)
		}
	}
}

// Each member has a session of their own, which CloudTrail names.
func TestWhoItWas(t *testing.T) {
	t.Parallel()
	s := cloud.New(t)
	u := made(t, s, ways["role"])
	body := `{"model":"` + model + `","max_tokens":1,"messages":[]}`
	for range 3 {
		send(t, u, call(body, false, nil))
	}
	grace := call(body, false, nil)
	grace.Who.Member, grace.Who.Email = "user_2", "grace hopper@exämple.com"
	send(t, u, grace)
	var names []string
	for _, r := range s.Seen() {
		names = append(names, r.Session)
	}
	if got := strings.Join(names, " "); got != "ada@example.com ada@example.com ada@example.com grace-hopper@ex-mple.com" {
		t.Errorf("signed in the sessions %s", got)
	}
	assumed := s.Assumed()
	if len(assumed) != 2 || assumed[0].Get("Tags.member.1.Key") != "gatehouse-member" || assumed[0].Get("Tags.member.1.Value") != "user_1" {
		t.Errorf("assumed %v", assumed)
	}
}

// A credential that ends while a request is on its way costs no error.
func TestACredentialThatRunsOut(t *testing.T) {
	t.Parallel()
	s := cloud.New(t)
	u := made(t, s, ways["role"])
	body := `{"model":"` + model + `","max_tokens":1,"messages":[]}`
	send(t, u, call(body, false, nil))
	s.ExpireAll()
	if answer, said := send(t, u, call(body, false, nil)); answer.Status != http.StatusOK {
		t.Errorf("answered %d %s", answer.Status, said)
	}
	if s.Asked("sts") != 2 {
		t.Errorf("assumed %d times", s.Asked("sts"))
	}
	s.ExpireAll()
	s.Break("sts")
	_, err := u.Send(t.Context(), call(body, false, nil))
	if !fault.Is(err, fault.Unavailable) || strings.Contains(fault.Message(err), "123456789012") {
		t.Errorf("%v", err)
	}
}

// A clock that is wrong costs one refusal, which nobody but AWS sees.
func TestAClockThatIsWrong(t *testing.T) {
	t.Parallel()
	body := `{"model":"` + model + `","max_tokens":1,"messages":[]}`
	for name, off := range map[string]time.Duration{"access key": 3 * time.Hour, "role": -3 * time.Hour} {
		s, now := cloud.New(t), time.Now
		way := ways[name]
		way.Now = func() time.Time { return now().Add(off) }
		u := made(t, s, way)
		for range 3 {
			if answer, said := send(t, u, call(body, false, nil)); answer.Status != http.StatusOK {
				t.Errorf("%s, %s off: answered %d %s", name, off, answer.Status, said)
			}
		}
		if refused := s.Refusals("bedrock"); refused != 1 {
			t.Errorf("%s, %s off: refused %d times", name, off, refused)
		}
	}
	// What is refused for another reason is not asked again.
	s := cloud.New(t)
	u := made(t, s, awsauth.Config{Static: awsauth.Key{ID: cloud.AccessKey, Secret: secret.New("another")}})
	if answer, _ := send(t, u, call(body, false, nil)); answer.Status != http.StatusForbidden || s.Refusals("bedrock") != 1 {
		t.Errorf("with a wrong secret: %d, refused %d times", answer.Status, s.Refusals("bedrock"))
	}
}

// Errors keep their meaning and lose their accounts.
func TestErrors(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]struct {
		status int
		kind   string
	}{429: {429, "rate_limit_error"}, 529: {529, "overloaded_error"}, 500: {500, "api_error"}, 404: {404, "not_found_error"}, 400: {400, "invalid_request_error"}} {
		s := cloud.New(t)
		s.Model.Always(upstream.Plan{Status: status, Body: `{"type":"error","error":{"type":"x","message":"Input is too long for arn:aws:bedrock:x:123456789012:y, account 123456789012"}}`})
		answer, body := send(t, made(t, s, ways["bearer"]), call(`{"model":"`+model+`","max_tokens":1,"messages":[]}`, true, nil))
		if answer.Status != want.status || !strings.Contains(body, `"type":"`+want.kind+`"`) || strings.Contains(body, "123456789012") {
			t.Errorf("%d: answered %d %s", status, answer.Status, body)
		}
		if status == 400 && !strings.Contains(body, "capability_rejected: prompt_too_long") {
			t.Errorf("a prompt that is too long: %s", body)
		}
	}
}

// An exception in the middle of a stream ends it with an error event.
func TestAnExceptionInTheMiddle(t *testing.T) {
	t.Parallel()
	s := cloud.New(t)
	s.Model.Always(upstream.Plan{StreamError: "overloaded_error"})
	_, body := send(t, made(t, s, ways["bearer"]), call(`{"model":"`+model+`","max_tokens":8,"messages":[],"stream":true}`, true, nil))
	if !strings.HasSuffix(body, "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"rate_limit_error\",\"message\":\"Too many requests for (removed)\"}}\n\n") {
		t.Errorf("the stream ends with %q", body[max(0, len(body)-200):])
	}
	s.Model.Always(upstream.Plan{BreakAfter: 4})
	answer, err := made(t, s, ways["bearer"]).Send(t.Context(), call(`{"model":"`+model+`","max_tokens":8,"messages":[],"stream":true}`, true, nil))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if _, err := io.ReadAll(answer.Body); err == nil {
		t.Error("a stream that breaks off ends well")
	}
}

// TestGuardrails has what a client says of Bedrock's guardrails arrive, and the
// organization's own guardrail come before it.
func TestGuardrails(t *testing.T) {
	t.Parallel()
	s := cloud.New(t)
	a, err := awsauth.New(awsauth.Config{Region: cloud.Region, Service: bedrock.Service, Now: time.Now, Bearer: secret.New(cloud.BearerKey)})
	if err != nil {
		t.Fatal(err)
	}
	client := http.Header{"X-Amzn-Bedrock-Guardrailidentifier": {"theirs"}, "X-Amzn-Bedrock-Guardrailversion": {"7"}, "X-Amzn-Bedrock-Trace": {"ENABLED"}, "X-Amzn-Bedrock-Secret": {"x"}, "X-Amzn-Else": {"y"}}
	body := `{"model":"` + model + `","max_tokens":9,"amazon-bedrock-guardrailConfig":{"tagSuffix":"x"},"messages":[{"role":"user","content":"hi"}]}`
	for _, tt := range []struct {
		ours, version, sent, sentVersion string
		client                           http.Header
	}{
		{"", "", "", "", nil},
		{"", "", "theirs", "7", client},
		{"ours", "3", "ours", "3", client},
		{"ours", "DRAFT", "ours", "DRAFT", nil},
	} {
		u, err := bedrock.New(bedrock.Config{Name: "main", Region: cloud.Region, Catalogue: catalogue.Default(), Auth: a, Origin: origin.Config{URL: s.URL}, Guardrail: tt.ours, GuardrailVersion: tt.version})
		if err != nil {
			t.Fatal(err)
		}
		if answer, text := send(t, u, call(body, false, tt.client)); answer.Status != http.StatusOK {
			t.Fatalf("answered %d %s", answer.Status, text)
		}
		seen := s.Seen()[len(s.Seen())-1].Header
		if has := strings.Contains(string(s.Seen()[len(s.Seen())-1].Body), "guardrailConfig"); has != (tt.ours == "") {
			t.Errorf("ours %q: what a client says of it is sent: %v", tt.ours, has)
		}
		if got, version := seen.Get("X-Amzn-Bedrock-Guardrailidentifier"), seen.Get("X-Amzn-Bedrock-Guardrailversion"); got != tt.sent || version != tt.sentVersion {
			t.Errorf("ours %q, theirs %v: sent were %q, %q", tt.ours, tt.client, got, version)
		}
		if seen.Get("X-Amzn-Bedrock-Secret") != "" || seen.Get("X-Amzn-Else") != "" || (seen.Get("X-Amzn-Bedrock-Trace") == "ENABLED") != (tt.client != nil) {
			t.Errorf("sent was %v", seen)
		}
		u.Close()
	}
}
