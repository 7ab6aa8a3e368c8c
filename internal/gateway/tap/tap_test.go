package tap

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/price"
	"github.com/google/go-cmp/cmp"
)

const start = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"usage\":{\"input_tokens\":10,\"cache_creation_input_tokens\":30,\"cache_read_input_tokens\":7,\"cache_creation\":{\"ephemeral_5m_input_tokens\":20,\"ephemeral_1h_input_tokens\":10},\"output_tokens\":1}}}\n\n"
const hello = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"Hello, world\"}}\n\n"
const delta = "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":42}}\n\n"
const stop = "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"
const pinged = "event: ping\ndata: {\"type\": \"ping\"}\n\n"

type reading struct {
	Tokens                           price.Tokens
	Estimated, Ended, Broken, Beween bool
}

func readStream(text string, cuts ...int) reading {
	var s Stream
	from := 0
	for _, cut := range cuts {
		if cut = min(max(cut, from), len(text)); cut > from {
			s.Write([]byte(text[from:cut]))
			from = cut
		}
	}
	s.Write([]byte(text[from:]))
	used, estimated := s.Tokens(400)
	return reading{used, estimated, s.Ended(), s.Broken(), s.Between()}
}

func TestStream(t *testing.T) {
	t.Parallel()
	full := price.Tokens{Input: 10, Output: 42, CacheRead: 7, CacheWrite5m: 20, CacheWrite1h: 10}
	upTo := func(output int64) price.Tokens { t := full; t.Output = output; return t }
	for _, c := range []struct {
		name, text string
		want       reading
	}{
		{"whole", start + pinged + hello + delta + stop, reading{full, false, true, false, true}},
		{"carriage returns", strings.ReplaceAll(start+hello+delta+stop, "\n", "\r\n"), reading{full, false, true, false, true}},
		{"without event lines", strings.ReplaceAll(start+hello+delta+stop, "event: ", ": "), reading{full, false, true, false, true}},
		{"cut after the text", start + hello + hello, reading{upTo(6), true, false, false, true}},
		{"cut in an event", start + hello + hello[:len(hello)-1], reading{upTo(6), true, false, false, false}},
		{"the last count is there, the end is not", start + hello + delta, reading{full, false, false, false, true}},
		{"nothing at all", "", reading{price.Tokens{Input: 100}, true, false, false, true}},
		{"an error", start + "event: error\ndata: {\"type\":\"error\",\"error\":{}}\n\n", reading{upTo(1), true, true, true, true}},
		{"type not first", start + strings.Replace(delta, `{"type":"message_delta",`, `{"a":1,"type":"message_delta",`, 1) + stop, reading{full, false, true, false, true}},
		{"a model that writes events into its text", start + strings.Replace(hello, "Hello, world", `data: {\"type\":\"message_stop\"}\n\n`, 1), reading{upTo(10), true, false, false, true}},
		{"the delta corrects the input", start + strings.Replace(delta, `"output_tokens":42`, `"input_tokens":11,"output_tokens":42`, 1) + stop,
			reading{price.Tokens{Input: 11, Output: 42, CacheRead: 7, CacheWrite5m: 20, CacheWrite1h: 10}, false, true, false, true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, readStream(c.text)); diff != "" {
				t.Errorf("in one piece (-want +got):\n%s", diff)
			}
			for cut := range len(c.text) {
				if diff := cmp.Diff(c.want, readStream(c.text, cut)); diff != "" {
					t.Fatalf("cut at %d (-want +got):\n%s", cut, diff)
				}
			}
		})
	}
}

func TestStreamKeepsLittle(t *testing.T) {
	t.Parallel()
	var s Stream
	piece := []byte(strings.Repeat("x", 1<<10))
	s.Write([]byte("data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\""))
	for range 1 << 10 {
		s.Write(piece)
	}
	if cap(s.line) > 2*maxLine {
		t.Errorf("the tap keeps %d bytes", cap(s.line))
	}
	s.Write([]byte("\"}}\n\n"))
	if used, _ := s.Tokens(0); used.Output < 1<<18 {
		t.Errorf("a long delta counts %d tokens", used.Output)
	}
}

func FuzzStream(f *testing.F) {
	f.Add(start+pinged+hello+delta+stop, 10, 100, 300)
	f.Add(strings.ReplaceAll(start+hello, "\n", "\r\n"), 1, 2, 3)
	f.Add("data: "+strings.Repeat("x", maxLine+3)+"\r\n\r\n", maxLine, maxLine+1, maxLine+6)
	f.Fuzz(func(t *testing.T, text string, a, b, c int) {
		want := readStream(text)
		if got := readStream(text, a, b, c); got != want {
			t.Fatalf("cut at %d, %d, %d: %+v, whole: %+v, in %q", a, b, c, got, want, text)
		}
	})
}

func readDocument(text string, cuts ...int) string {
	var d Document
	from := 0
	for _, cut := range cuts {
		if cut = min(max(cut, from), len(text)); cut > from {
			d.Write([]byte(text[from:cut]))
			from = cut
		}
	}
	d.Write([]byte(text[from:]))
	used, estimated := d.Tokens(400)
	return fmt.Sprintf("%+v %v", used, estimated)
}

func TestDocument(t *testing.T) {
	t.Parallel()
	say := func(t price.Tokens, estimated bool) string { return fmt.Sprintf("%+v %v", t, estimated) }
	const use = `"usage":{"input_tokens":10,"output_tokens":42,"cache_read_input_tokens":7,"server_tool_use":{"web_search_requests":1},"service_tier":"a\"}b"}`
	want := say(price.Tokens{Input: 10, Output: 42, CacheRead: 7}, false)
	for _, c := range []struct{ name, text, want string }{
		{"at the end", `{"type":"message","content":[{"type":"text","text":"hi"}],` + use + `}`, want},
		{"at the beginning", `{` + use + `,"content":[]}`, want},
		{"with spaces", "{ \"content\" : [ ] ,\n" + strings.Replace(use, ":", " : ", 1) + " }", want},
		{"in a text", `{"content":"\"usage\":{\"input_tokens\":1}",` + use + `}`, want},
		{"deeper is another", `{"a":{"usage":{"input_tokens":99}},"b":["usage"],` + use + `}`, want},
		{"as a value it is no name", `{"a":"usage","b":{"input_tokens":99},` + use + `}`, want},
		{"none", `{"a":1}`, say(price.Tokens{Input: 100, Output: 2}, true)},
		{"not an object", `{"usage":[]}`, say(price.Tokens{Input: 100, Output: 3}, true)},
		{"cut off", `{"a":1,` + use[:40], say(price.Tokens{Input: 100, Output: 12}, true)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for cut := range len(c.text) {
				if diff := cmp.Diff(c.want, readDocument(c.text, cut)); diff != "" {
					t.Fatalf("cut at %d (-want +got):\n%s", cut, diff)
				}
			}
		})
	}
}

func FuzzDocument(f *testing.F) {
	f.Add(`{"content":[{"text":"a\\\"b"}],"usage":{"input_tokens":10,"output_tokens":42}}`, 5, 20, 30)
	f.Add(`]]}}{"usage":{`, 1, 2, 3)
	f.Fuzz(func(t *testing.T, text string, a, b, c int) {
		want := readDocument(text)
		if got := readDocument(text, a, b, c); got != want {
			t.Fatalf("cut at %d, %d, %d: %s, whole: %s, in %q", a, b, c, got, want, text)
		}
	})
}

func BenchmarkStream(b *testing.B) {
	text := []byte(start + strings.Repeat(hello, 48) + delta + stop)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		var s Stream
		s.Write(text)
	}
}
