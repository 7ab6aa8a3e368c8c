package upstream_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/upstream"
	"github.com/google/go-cmp/cmp"
)

func client(s *upstream.Server) *anthropic.Client {
	c := anthropic.NewClient(option.WithBaseURL(s.URL), option.WithAPIKey(upstream.Key), option.WithMaxRetries(0))
	return &c
}

var question = anthropic.MessageNewParams{
	Model: "claude-sonnet-4-6", MaxTokens: 100,
	Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.ContentBlockParamUnion{OfText: &anthropic.TextBlockParam{Text: "hi",
		CacheControl: anthropic.NewCacheControlEphemeralParam()}})},
}

func TestTheOfficialClientUnderstandsIt(t *testing.T) {
	t.Parallel()
	s := upstream.New(t)
	whole, err := client(s).Messages.New(t.Context(), question)
	if err != nil {
		t.Fatal(err)
	}
	streamed := anthropic.Message{}
	stream := client(s).Messages.NewStreaming(t.Context(), question)
	for stream.Next() {
		if err := streamed.Accumulate(stream.Current()); err != nil {
			t.Fatal(err)
		}
	}
	if err := stream.Err(); err != nil {
		t.Fatal(err)
	}
	requests := s.Requests()
	want := upstream.Usage{}
	for n, got := range []anthropic.Message{*whole, streamed} {
		usage := usageOf(got.Usage)
		if diff := cmp.Diff(upstream.UsageOf(requests[n].Body, 12), usage); diff != "" {
			t.Errorf("answer %d, usage (-want +got):\n%s", n, diff)
		}
		if got.Content[0].Text != upstream.Text(12) || usage.CacheRead == 0 {
			t.Errorf("answer %d: %s", n, got.RawJSON())
		}
		want = want.Plus(usage)
	}
	if diff := cmp.Diff(want, s.Total()); diff != "" {
		t.Errorf("the sum (-answers +counted):\n%s", diff)
	}
}

func usageOf(u anthropic.Usage) upstream.Usage {
	return upstream.Usage{Input: u.InputTokens, Output: u.OutputTokens, CacheRead: u.CacheReadInputTokens,
		CacheWrite5m: u.CacheCreation.Ephemeral5mInputTokens, CacheWrite1h: u.CacheCreation.Ephemeral1hInputTokens}
}

func TestModelsAndCounts(t *testing.T) {
	t.Parallel()
	s := upstream.New(t)
	page, err := client(s).Models.List(t.Context(), anthropic.ModelListParams{})
	if err != nil || len(page.Data) != len(upstream.ModelIDs) {
		t.Errorf("models: %v %v", page, err)
	}
	counted, err := client(s).Messages.CountTokens(t.Context(), anthropic.MessageCountTokensParams{
		Model: question.Model, Messages: question.Messages})
	if err != nil || counted.InputTokens == 0 {
		t.Errorf("count: %v %v", counted, err)
	}
	if s.Count(upstream.Models) != 1 || s.Count(upstream.CountTokens) != 1 || s.Total() != (upstream.Usage{}) {
		t.Errorf("counted %d %d %v", s.Count(upstream.Models), s.Count(upstream.CountTokens), s.Total())
	}
}

func TestAKeyCanBeAskedFor(t *testing.T) {
	t.Parallel()
	s := upstream.New(t)
	s.RequireKey()
	if _, err := client(s).Messages.New(t.Context(), question); err != nil {
		t.Error(err)
	}
	if got := post(t.Context(), t, s.URL, streaming).StatusCode; got != http.StatusUnauthorized {
		t.Errorf("without a key: %d", got)
	}
}

const streaming = `{"model":"m","max_tokens":9,"stream":true,"messages":[]}`

func post(ctx context.Context, t *testing.T, url, body string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/v1/messages?beta=true", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header["x-odd-Case"] = []string{"kept"}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = answer.Body.Close() })
	return answer
}

func TestPlans(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		plan   upstream.Plan
		status int
		broken bool
		want   []string
		output int64
	}{
		"plain":     {upstream.Plan{}, 200, false, []string{"event: ping", "message_stop", "word9 "}, 9},
		"refusal":   {upstream.Plan{Status: 529}, 529, false, []string{"overloaded_error"}, 0},
		"own words": {upstream.Plan{Status: 418, Body: "tea"}, 418, false, []string{"tea"}, 0},
		"pings":     {upstream.Plan{Pings: 3, Comment: "hello"}, 200, false, []string{": hello\n\n" + strings.Repeat("event: ping\ndata: {\"type\": \"ping\"}\n\n", 3)}, 9},
		"break":     {upstream.Plan{BreakAfter: 5}, 200, true, []string{"word2 "}, 2},
		"error":     {upstream.Plan{StreamError: "overloaded_error"}, 200, false, []string{"event: error", "word4 "}, 4},
		"gzip":      {upstream.Plan{Gzip: true}, 200, false, []string{"message_stop"}, 9},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := upstream.New(t)
			s.Always(test.plan)
			answer := post(t.Context(), t, s.URL, streaming)
			body, err := io.ReadAll(answer.Body)
			if answer.StatusCode != test.status || (err != nil) != test.broken {
				t.Errorf("status %d, %v", answer.StatusCode, err)
			}
			for _, want := range test.want {
				if !strings.Contains(string(body), want) {
					t.Errorf("no %q in:\n%s", want, body)
				}
			}
			if got := s.Total().Output; got != test.output {
				t.Errorf("counted %d output tokens, want %d", got, test.output)
			}
			if test.plan.Gzip != answer.Uncompressed {
				t.Errorf("compressed: %v", answer.Uncompressed)
			}
		})
	}
}

func TestEveryEventWaitsForItsStep(t *testing.T) {
	t.Parallel()
	s := upstream.New(t)
	step := make(chan struct{})
	s.Always(upstream.Plan{Step: step})
	ctx, leave := context.WithTimeout(t.Context(), 30*time.Second)
	answer := post(ctx, t, s.URL, streaming)
	lines := bufio.NewReader(answer.Body)
	if line, err := lines.ReadString('\n'); err != nil || line != "event: message_start\n" {
		t.Fatalf("%q %v", line, err)
	}
	step <- struct{}{}
	for line := ""; line != "event: content_block_start\n"; {
		var err error
		if line, err = lines.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	req := s.Next(t.Context(), t)
	leave()
	<-req.Done()
	if got := s.UsageSent(req); got.Output != 0 || got.Input == 0 {
		t.Errorf("an abandoned stream counts %+v", got)
	}
}

func TestWhatArrivedIsKeptToTheByte(t *testing.T) {
	t.Parallel()
	s := upstream.New(t)
	const odd = "{\"model\" :\"m\",\n\t\"max_tokens\":1e0, \"model2\":\"\\u00e9\"}"
	_ = post(t.Context(), t, s.URL, odd)
	got := s.Next(t.Context(), t)
	if string(got.Body) != odd || got.Query != "beta=true" || got.Kind != upstream.Messages || got.Header.Get("x-odd-case") != "kept" {
		t.Errorf("kept %+v", got)
	}
	if !json.Valid(got.Body) {
		t.Error("the body is not JSON any more")
	}
}
