package gateway_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/catalogue"
	"github.com/gatehouse-dev/gatehouse/internal/gateway"
	"github.com/gatehouse-dev/gatehouse/internal/gateway/dialect"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/cloud"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/awsauth"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/bedrock"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/origin"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/vertex"
	"github.com/gatehouse-dev/gatehouse/internal/usage"
)

const (
	begins = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"m\",\"content\":[],\"usage\":{\"input_tokens\":5,\"output_tokens\":1}}}\n\n" +
		"event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n" +
		"event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"Half\"}}\n\n"
	ends = "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n" +
		"event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":2}}\n\n" +
		"event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"
)

func inFrames(t *testing.T, events string) []byte {
	t.Helper()
	var f dialect.Frames
	binary, err := f.Append(nil, []byte(events))
	if err != nil {
		t.Fatal(err)
	}
	return binary
}

// changed is a stream in which something was put elsewhere.
func changed(stream []byte, change func(b []byte) []byte) []byte { return change(bytes.Clone(stream)) }

// TestProvidersThatMisbehave answers as no cloud should. What reaches the client is an
// error or breaks off: nothing that was not whole looks whole, and nobody pays for
// nothing.
func TestProvidersThatMisbehave(t *testing.T) {
	t.Parallel()
	whole := inFrames(t, begins+ends)
	half := len(inFrames(t, begins))
	const page = "<!doctype html><title>Sign in to the network</title>"
	for name, answer := range map[string]struct {
		frames    bool
		kind      string
		body      []byte
		breaksOff bool
	}{
		"half a frame":             {true, dialect.BedrockType, whole[:half+9], false},
		"a frame with a wrong sum": {true, dialect.BedrockType, changed(whole, func(b []byte) []byte { b[half+40] ^= 1; return b }), false},
		"a length that lies":       {true, dialect.BedrockType, changed(whole, func(b []byte) []byte { binary.BigEndian.PutUint32(b[half:], 1<<31); return b }), false},
		"headers that lie":         {true, dialect.BedrockType, changed(whole, func(b []byte) []byte { binary.BigEndian.PutUint32(b[half+4:], 1<<30); return b }), false},
		"events where frames are":  {true, dialect.BedrockType, []byte(begins + ends), false},
		"an end in the middle":     {true, dialect.BedrockType, whole[:half], false},
		"an exception in frames":   {true, dialect.BedrockType, append(bytes.Clone(whole[:half]), inFrames(t, "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"x\"}}\n\n")...), false},
		"a page for frames":        {true, "text/html", []byte(page), false},
		"half an event":            {false, "text/event-stream", []byte(begins + ends[:len(ends)-20]), false},
		"a connection that breaks": {false, "text/event-stream", []byte(begins), true},
		"an error after 200":       {false, "text/event-stream", []byte("event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"x\"}}\n\n"), false},
		"a page for events":        {false, "text/html", []byte(page), false},
		"nothing at all":           {false, "text/event-stream", nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				w.Header().Set("Content-Type", answer.kind)
				_, _ = w.Write(answer.body)
				if answer.breaksOff {
					_ = http.NewResponseController(w).Flush()
					panic(http.ErrAbortHandler)
				}
			}))
			t.Cleanup(provider.Close)
			f := newFront(t)
			f.route = &gateway.Route{Upstreams: []gateway.Upstream{misbehaving(t, provider.URL, answer.frames)}}
			status, got, err := f.try(t, `{"model":"`+dated+`","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"hi"}]}`)
			if status < 400 && err == nil && !strings.Contains(got, "event: error") {
				t.Errorf("answered %d, and it looks whole: %q", status, got)
			}
			if strings.Contains(got, "doctype") {
				t.Errorf("a stranger's page got through: %q", got)
			}
			if o := f.ledger.next(t); o.Ending == usage.Complete {
				t.Errorf("settled as %+v", o)
			}
		})
	}
}

func misbehaving(t *testing.T, url string, frames bool) gateway.Upstream {
	t.Helper()
	if !frames {
		u, err := vertex.New(vertex.Config{Name: "vertex", Project: cloud.Project, Region: cloud.Region, Catalogue: catalogue.Default(),
			Auth: origin.Key("Authorization", secret.New("Bearer x")), Origin: origin.Config{URL: url}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(u.Close)
		return u
	}
	auth, err := awsauth.New(awsauth.Config{Region: cloud.Region, Service: bedrock.Service, Now: time.Now, Static: awsauth.Key{ID: cloud.AccessKey, Secret: secret.New(cloud.SecretKey)}})
	if err != nil {
		t.Fatal(err)
	}
	u, err := bedrock.New(bedrock.Config{Name: "bedrock", Region: cloud.Region, Geography: "eu", Catalogue: catalogue.Default(), Auth: auth, Origin: origin.Config{URL: url}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(u.Close)
	return u
}

// try asks as a client that is ready for a connection that breaks.
func (f *front) try(t *testing.T, body string) (status int, text string, err error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.url+"/v1/messages", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Api-Key", key)
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	return response.StatusCode, string(raw), err
}
