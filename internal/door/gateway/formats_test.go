package gateway_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
	"github.com/gatehouse-dev/gatehouse/internal/catalogue"
	"github.com/gatehouse-dev/gatehouse/internal/gateway"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/cloud"
	testupstream "github.com/gatehouse-dev/gatehouse/internal/testkit/upstream"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/anthropic"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/anthropicaws"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/awsauth"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/bedrock"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/foundry"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/googleauth"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/mantle"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/origin"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/vertex"
)

// clouds makes an upstream of every provider, all before one stand-in.
func clouds(t *testing.T, s *cloud.Server) map[string]gateway.Upstream {
	t.Helper()
	must := func(u interface {
		gateway.Upstream
		Close()
	}, err error) gateway.Upstream {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(u.Close)
		return u
	}
	auth := func(service string) *awsauth.Auth {
		a, err := awsauth.New(awsauth.Config{Region: cloud.Region, Service: service, Now: time.Now,
			Static: awsauth.Key{ID: cloud.AccessKey, Secret: secret.New(cloud.SecretKey)}})
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	google, err := googleauth.New(googleauth.Config{Key: secret.New(s.Key()), TokenURL: s.URL + "/token", Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	c := catalogue.Default()
	all := map[string]gateway.Upstream{}
	one, err := anthropic.New(anthropic.Config{Name: "anthropic", BaseURL: s.Model.URL, Key: secret.New(testupstream.Key)})
	all["anthropic"] = must(one, err)
	two, err := bedrock.New(bedrock.Config{Name: "bedrock", Region: cloud.Region, Geography: "eu", Catalogue: c, Auth: auth(bedrock.Service), Origin: origin.Config{URL: s.URL}})
	all["bedrock"] = must(two, err)
	three, err := vertex.New(vertex.Config{Name: "vertex", Project: cloud.Project, Region: cloud.Region, Catalogue: c, Auth: google, Origin: origin.Config{URL: s.URL}})
	all["vertex"] = must(three, err)
	four, err := foundry.New(anthropic.Config{Name: "foundry", BaseURL: s.URL + "/anthropic", Key: secret.New(cloud.FoundryKey)}, c)
	all["foundry"] = must(four, err)
	five, err := anthropicaws.New(anthropic.Config{Name: "anthropic-aws", BaseURL: s.URL, Credential: auth(anthropicaws.Service)}, cloud.Region, cloud.Workspace, c)
	all["anthropic-aws"] = must(five, err)
	six, err := mantle.New(anthropic.Config{Name: "bedrock-mantle", BaseURL: s.URL + "/mantle/anthropic", Credential: auth(mantle.Service)}, cloud.Region, c)
	all["bedrock-mantle"] = must(six, err)
	return all
}

// format is how a client of one kind asks.
type format struct {
	path   func(stream bool) string
	edge   func(stream bool) string // the members of the body that are its own
	events func(t *testing.T, r *http.Response, body []byte) []string
}

const dated = "claude-haiku-4-5-20251001"

func ifStream(stream bool, yes, no string) string {
	if stream {
		return yes
	}
	return no
}

var formats = map[string]format{
	"messages": {
		func(bool) string { return "/v1/messages?beta=true" },
		func(stream bool) string {
			return `"model":"` + dated + `"` + ifStream(stream, `,"stream":true`, ``)
		}, sseData},
	"bedrock": {
		func(stream bool) string {
			return "/bedrock/model/us.anthropic." + dated + "-v1:0/" + ifStream(stream, "invoke-with-response-stream", "invoke")
		},
		func(bool) string {
			return `"anthropic_version":"bedrock-2023-05-31","anthropic_beta":["context-1m-2025-08-07"]`
		}, frameData},
	"vertex": {
		func(stream bool) string {
			return "/vertex/v1/projects/p/locations/l/publishers/anthropic/models/claude-haiku-4-5@20251001:" + ifStream(stream, "streamRawPredict", "rawPredict")
		},
		func(stream bool) string {
			return `"anthropic_version":"vertex-2023-10-16"` + ifStream(stream, `,"stream":true`, ``)
		}, sseData},
	"foundry": {
		func(bool) string { return "/foundry/anthropic/v1/messages" },
		func(stream bool) string {
			return `"model":"` + dated + `"` + ifStream(stream, `,"stream":true`, ``)
		}, sseData},
}

func sseData(t *testing.T, r *http.Response, body []byte) (all []string) {
	t.Helper()
	if kind := r.Header.Get("Content-Type"); !strings.HasPrefix(kind, "text/event-stream") {
		t.Fatalf("answered %d %s: %s", r.StatusCode, kind, body)
	}
	for event := range strings.SplitSeq(strings.TrimSuffix(string(body), "\n\n"), "\n\n") {
		name, data, _ := strings.Cut(event, "\ndata: ")
		if !strings.Contains(data, `"type":"`+strings.TrimPrefix(name, "event: ")+`"`) && name != "event: ping" {
			t.Errorf("the event %q", event)
		}
		if name != "event: ping" {
			all = append(all, data)
		}
	}
	return all
}

// frameData reads frames with AWS's decoder, as AWS's clients do.
func frameData(t *testing.T, r *http.Response, body []byte) (all []string) {
	t.Helper()
	if kind := r.Header.Get("Content-Type"); kind != "application/vnd.amazon.eventstream" {
		t.Fatalf("answered %d %s: %s", r.StatusCode, kind, body)
	}
	for from := bytes.NewReader(body); ; {
		m, err := eventstream.NewDecoder().Decode(from, nil)
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		if m.Headers.Get(":message-type").String() != "event" {
			all = append(all, m.Headers.Get(":exception-type").String()+" "+string(m.Payload))
			continue
		}
		var chunk struct{ Bytes string }
		raw, err := []byte(nil), json.Unmarshal(m.Payload, &chunk)
		if err == nil {
			raw, err = base64.StdEncoding.DecodeString(chunk.Bytes)
		}
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(raw, []byte(`"ping"`)) {
			all = append(all, string(raw))
		}
	}
}

// said is the text and the usage of an answer.
func said(t *testing.T, events []string) (text string, usage testupstream.Usage) {
	t.Helper()
	for _, e := range events {
		var is struct {
			Type    string
			Delta   struct{ Text string }
			Message struct{ Usage wireUsage }
			Usage   wireUsage
		}
		if err := json.Unmarshal([]byte(e), &is); err != nil {
			t.Fatalf("%v in %s", err, e)
		}
		text += is.Delta.Text
		if is.Type == "message_delta" {
			usage = is.Usage.usage()
		}
	}
	return text, usage
}

type wireUsage struct {
	Input  int64 `json:"input_tokens"`
	Output int64 `json:"output_tokens"`
	Read   int64 `json:"cache_read_input_tokens"`
	Cache  struct {
		Five int64 `json:"ephemeral_5m_input_tokens"`
		Hour int64 `json:"ephemeral_1h_input_tokens"`
	} `json:"cache_creation"`
}

func (u wireUsage) usage() testupstream.Usage {
	return testupstream.Usage{Input: u.Input, Output: u.Output, CacheRead: u.Read, CacheWrite5m: u.Cache.Five, CacheWrite1h: u.Cache.Hour}
}

// TestEveryFormatReachesEveryUpstream is the whole table, streamed and not: what is
// said, what it used and what the model saw are the same in every cell.
func TestEveryFormatReachesEveryUpstream(t *testing.T) {
	t.Parallel()
	const system = `[{"type":"text", "text":"a\u0062c é"},{"type":"text","text":"x","cache_control": {"type":"ephemeral","ttl":"1h"}}]`
	const messages = `[{"role":"user","content":[{"type":"text","text":"Say <hello> & \"more\"","cache_control":{"type":"ephemeral"}}]}]`
	for formatName, client := range formats {
		t.Run(formatName, func(t *testing.T) {
			t.Parallel()
			s := cloud.New(t)
			ups := clouds(t, s)
			f := newFront(t)
			for upstreamName, up := range ups {
				f.route = &gateway.Route{Upstreams: []gateway.Upstream{up}}
				for _, stream := range []bool{false, true} {
					cell := fmt.Sprintf("%s, streamed %v", upstreamName, stream)
					body := `{` + client.edge(stream) + `,"max_tokens":7,"system":` + system + `,"messages":` + messages + `}`
					response, answer := f.ask(t, "POST", client.path(stream), body, "anthropic-beta", "effort-2025-11-24")
					if response.StatusCode != http.StatusOK {
						t.Errorf("%s: answered %d %s", cell, response.StatusCode, answer)
						continue
					}
					var text string
					var used testupstream.Usage
					if stream {
						text, used = said(t, client.events(t, response, []byte(answer)))
					} else {
						var m struct {
							Content []struct{ Text string }
							Usage   wireUsage
						}
						if err := json.Unmarshal([]byte(answer), &m); err != nil || len(m.Content) == 0 {
							t.Fatalf("%s: %v in %s", cell, err, answer)
						}
						text, used = m.Content[0].Text, m.Usage.usage()
					}
					all := s.Model.Requests()
					last := all[len(all)-1]
					if want := testupstream.UsageOf(last.Body, 7); used != want || text != "word1 word2 word3 word4 word5 word6 word7 " {
						t.Errorf("%s: said %q and used %+v, want %+v", cell, text, used, want)
					}
					sent := last.Body
					if upstreamName != "anthropic" {
						seen := s.Seen()
						sent = seen[len(seen)-1].Body
					}
					if !bytes.Contains(sent, []byte(`"system":`+system+`,"messages":`+messages)) {
						t.Errorf("%s: the prompt was touched: %s", cell, sent)
					}
				}
			}
		})
	}
}

// Errors of ours and of the upstream come in the form that the client's SDK reads.
func TestErrorsInEveryFormat(t *testing.T) {
	t.Parallel()
	s := cloud.New(t)
	f := newFront(t)
	f.route = &gateway.Route{Upstreams: []gateway.Upstream{clouds(t, s)["bedrock"]}, Allowed: []string{dated}}
	s.Model.Always(testupstream.Plan{Status: 529})
	for name, client := range formats {
		body := `{` + client.edge(true) + `,"max_tokens":7,"messages":[]}`
		response, answer := f.ask(t, "POST", client.path(true), body)
		status, want := 529, `"overloaded_error"`
		if name == "bedrock" {
			status, want = 503, `{"message":`
			if got := response.Header.Get("X-Amzn-Errortype"); got != "ServiceUnavailableException" {
				t.Errorf("the exception is %q", got)
			}
		}
		if response.StatusCode != status || !strings.Contains(answer, want) {
			t.Errorf("%s: answered %d %s", name, response.StatusCode, answer)
		}
		response, answer = f.ask(t, "POST", client.path(true), body, "x-api-key", "sk-gate-wrong")
		want = `"authentication_error"`
		if name == "bedrock" {
			want = `{"message":`
		}
		if response.StatusCode != http.StatusUnauthorized || !strings.Contains(answer, want) {
			t.Errorf("%s without a credential: answered %d %s", name, response.StatusCode, answer)
		}
	}
	_, answer := f.ask(t, "POST", "/bedrock/model/us.anthropic.claude-opus-4-8/invoke", `{"messages":[]}`)
	if !strings.Contains(answer, "claude-opus-4-8") || !strings.Contains(answer, `{"message":`) {
		t.Errorf("a model that is not allowed: %s", answer)
	}
	s.Model.Always(testupstream.Plan{StreamError: "overloaded_error"})
	response, answer := f.ask(t, "POST", formats["bedrock"].path(true), `{"anthropic_version":"x","max_tokens":7,"messages":[]}`)
	events := frameData(t, response, []byte(answer))
	if last := events[len(events)-1]; !strings.HasPrefix(last, "throttlingException {\"message\":") {
		t.Errorf("a stream that fails ends with %s", last)
	}
}

// An inference profile is named by an ARN, whose slash is an escape in a path; elsewhere
// such a slash is a second reading, and refused. That of an application says nothing of
// its model, and is no upstream's that does not name it.
func TestAModelByARN(t *testing.T) {
	t.Parallel()
	s := cloud.New(t)
	f := newFront(t)
	f.route = &gateway.Route{Upstreams: []gateway.Upstream{clouds(t, s)["bedrock"]}}
	const arn = "arn%3Aaws%3Abedrock%3Aeu-central-1%3A123456789012%3Ainference-profile%2Fus.anthropic." + dated + "-v1%3A0"
	const application = "arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile%2Fabc123"
	const nothing = "there is nothing at this path"
	for path, want := range map[string]string{
		"/bedrock/model/" + arn + "/invoke":                                                    `"end_turn"`,
		"/model/" + arn + "/invoke":                                                            `"end_turn"`,
		"/bedrock/model/" + application + "/invoke":                                            "no upstream of your organization has the model",
		"/bedrock/model/" + arn + "%2F..%2Fx/invoke":                                           nothing,
		"/bedrock/model/us.anthropic%2F" + dated + "/invoke":                                   nothing,
		"/bedrock/model/" + arn + "/invoke%2Fx":                                                nothing,
		"/vertex/v1/projects/p/locations/l/publishers/anthropic/models/" + arn + ":rawPredict": nothing,
	} {
		if _, answer := f.ask(t, "POST", path, `{"anthropic_version":"x","max_tokens":7,"messages":[]}`); !strings.Contains(answer, want) {
			t.Errorf("%s: %s", path, answer)
		}
	}
}

// What cannot be turned is refused for what it is.
func TestBadBodiesOfClouds(t *testing.T) {
	t.Parallel()
	s := cloud.New(t)
	f := newFront(t)
	f.route = &gateway.Route{Upstreams: []gateway.Upstream{clouds(t, s)["anthropic"]}}
	for _, body := range []string{``, `[]`, `{`, `{"anthropic_beta":"x"}`, `{"anthropic_beta":["a b"]}`, `{"anthropic_beta":["a\r\nX: y"]}`, `{"max_tokens":1,"max_tokens":2}`} {
		for _, path := range []string{formats["bedrock"].path(true), formats["vertex"].path(false)} {
			if response, answer := f.ask(t, "POST", path, body); response.StatusCode != http.StatusBadRequest {
				t.Errorf("%s to %s: answered %d %s", body, path, response.StatusCode, answer)
			}
		}
	}
	for _, path := range []string{"/vertex/v1/projects/p/locations/l/publishers/anthropic/models/x:predict", "/vertex/v1/x", "/bedrock/x", "/foundry/anthropic/v1/x"} {
		if response, answer := f.ask(t, "POST", path, "{}"); response.StatusCode != http.StatusNotFound {
			t.Errorf("%s: answered %d %s", path, response.StatusCode, answer)
		}
	}
	if len(s.Model.Requests()) != 0 {
		t.Error("something was sent")
	}
}

// Tokens are counted in the words of each format.
func TestCountingInEveryFormat(t *testing.T) {
	t.Parallel()
	s := cloud.New(t)
	ups := clouds(t, s)
	f := newFront(t)
	inner := `{"anthropic_version":"bedrock-2023-05-31","max_tokens":1,"messages":[{"role":"user","content":"Count me."}]}`
	for name, up := range ups {
		f.route = &gateway.Route{Upstreams: []gateway.Upstream{up}}
		for path, body := range map[string]string{
			"/v1/messages/count_tokens":                                                             `{"model":"` + dated + `","messages":[]}`,
			"/foundry/anthropic/v1/messages/count_tokens":                                           `{"model":"` + dated + `","messages":[]}`,
			"/vertex/v1/projects/p/locations/l/publishers/anthropic/models/count-tokens:rawPredict": `{"anthropic_version":"v","model":"claude-haiku-4-5@20251001","messages":[]}`,
			"/bedrock/model/us.anthropic." + dated + "-v1:0/count-tokens":                           `{"input":{"invokeModel":{"body":"` + base64.StdEncoding.EncodeToString([]byte(inner)) + `"}}}`,
		} {
			response, answer := f.ask(t, "POST", path, body)
			var n map[string]int64
			if err := json.Unmarshal([]byte(answer), &n); err != nil || response.StatusCode != http.StatusOK || n["input_tokens"]+n["inputTokens"] == 0 || (n["inputTokens"] != 0) != strings.HasPrefix(path, "/bedrock") {
				t.Errorf("%s at %s: answered %d %s", path, name, response.StatusCode, answer)
			}
		}
	}
}

// What Claude Code asks Bedrock at its start is answered.
func TestInferenceProfiles(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	f.route.Models = []gateway.Model{{ID: dated, DisplayName: "Haiku"}}
	response, answer := f.ask(t, "GET", "/bedrock/inference-profiles?type=SYSTEM_DEFINED", "")
	if response.StatusCode != http.StatusOK || !strings.Contains(answer, `"inferenceProfileId":"eu.anthropic.`+dated+`-v1:0"`) {
		t.Errorf("answered %d %s", response.StatusCode, answer)
	}
	for path, want := range map[string]int{"/bedrock/inference-profiles/us.anthropic." + dated + "-v1:0": 200, "/bedrock/inference-profiles/us.anthropic.claude-x": 404} {
		response, answer := f.ask(t, "GET", path, "")
		if response.StatusCode != want || (want == 404 && response.Header.Get("X-Amzn-Errortype") != "ResourceNotFoundException") {
			t.Errorf("%s: answered %d %v %s", path, response.StatusCode, response.Header, answer)
		}
	}
}
