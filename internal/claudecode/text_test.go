package claudecode

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSetKeepsTheWayTheFileIsWritten(t *testing.T) {
	t.Parallel()
	value := json.RawMessage(`"v"`)
	for name, tt := range map[string]struct {
		in   string
		path []string
		want string
	}{
		"nothing":        {"", []string{"k"}, "{\n  \"k\": \"v\"\n}\n"},
		"empty":          {"{}", []string{"env", "K"}, "{\n  \"env\": {\n    \"K\": \"v\"\n  }\n}"},
		"empty, spread":  {"{\n}\n", []string{"k"}, "{\n  \"k\": \"v\"\n}\n"},
		"two spaces":     {"{\n  \"a\": 1\n}\n", []string{"env", "K"}, "{\n  \"a\": 1,\n  \"env\": {\n    \"K\": \"v\"\n  }\n}\n"},
		"tabs":           {"{\n\t\"a\": 1\n}\n", []string{"env", "K"}, "{\n\t\"a\": 1,\n\t\"env\": {\n\t\t\"K\": \"v\"\n\t}\n}\n"},
		"CRLF":           {"{\r\n  \"a\": 1\r\n}\r\n", []string{"env", "K"}, "{\r\n  \"a\": 1,\r\n  \"env\": {\r\n    \"K\": \"v\"\r\n  }\r\n}\r\n"},
		"compact":        {`{"a":1}`, []string{"env", "K"}, `{"a":1,"env":{"K":"v"}}`},
		"odd colons":     {`{"a" : 1}`, []string{"k"}, `{"a" : 1,"k" : "v"}`},
		"replaced":       {`{"k":  [1, {"k":2}], "b":"\"}"}`, []string{"k"}, `{"k":  "v", "b":"\"}"}`},
		"escaped key":    {`{"\u006b":1}`, []string{"k"}, `{"\u006b":"v"}`},
		"in env":         {"{\n  \"env\": {\n    \"A\": \"1\"\n  },\n  \"z\": null\n}", []string{"env", "K"}, "{\n  \"env\": {\n    \"A\": \"1\",\n    \"K\": \"v\"\n  },\n  \"z\": null\n}"},
		"byte order":     {"\xef\xbb\xbf{\"a\":1}", []string{"k"}, "\xef\xbb\xbf{\"a\":1,\"k\":\"v\"}"},
		"three on a row": {`{"a":1, "b":2, "c":3}`, []string{"k"}, `{"a":1, "b":2, "c":3, "k":"v"}`},
	} {
		parsed, err := parse([]byte(tt.in))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(tt.want, string(parsed.set(tt.path, value))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestRemove(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{"k":1}`:                           `{}`,
		`{ "k" : 1 }`:                       `{}`,
		`{"k":1,"b":2}`:                     `{"b":2}`,
		`{"a":1, "k":[1,2], "b":2}`:         `{"a":1, "b":2}`,
		"{\n  \"a\": 1,\n  \"k\": {}\n}":    "{\n  \"a\": 1\n}",
		"{\n  \"k\": \"}\",\n  \"b\": 2\n}": "{\n  \"b\": 2\n}",
		`{"b":{"k":1}}`:                     `{"b":{"k":1}}`,
		"{\n  \"a\": 1,\n  \"k\": \"x\"\n}": "{\n  \"a\": 1\n}",
	} {
		parsed, err := parse([]byte(in))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(parsed.remove([]string{"k"}))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", in, diff)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"{", "[]", "null", `"x"`, "{} {}", `{"a":1,}`, "{\n// no\n}", `{"a":1,"a":2}`, `{"env":{"A":"1","A":"2"}}`, `{"env":[]}`, `{"env":null}`, `{"a":1,"\u0061":2}`} {
		if got, err := parse([]byte(in)); err == nil {
			t.Errorf("parse(%q) = %q", in, got)
		}
	}
}

// FuzzSet proves for any file we accept that a change is valid JSON, changes
// that key alone, keeps the others in their order, and can be taken back.
func FuzzSet(f *testing.F) {
	for _, seed := range []string{"", "{}", "{\n}", `{"env":{}}`, "{\n  \"a\": [1, {\"b\": \"\\\"}\"}],\n  \"env\": {\"X\": \"y\"}\n}\n", "\xef\xbb\xbf{\"a\":1}", `{"apiKeyHelper":"x","z":-1.5e3}`, `{"a":"\\"}`, "{\r\n\t\"a\" :\ttrue\r\n}"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		before, err := parse(in)
		if err != nil {
			return
		}
		for _, path := range [][]string{{"apiKeyHelper"}, {"env", "ANTHROPIC_BASE_URL"}} {
			checkSet(t, before, path)
		}
	})
}

func checkSet(t *testing.T, before text, path []string) {
	value := json.RawMessage(`"a } \" ,\\"`)
	after := before.set(path, value)
	if _, err := parse(after); err != nil {
		t.Fatalf("%q became %q: %v", before, after, err)
	}
	if got := after.get(path); !bytes.Equal(got, value) {
		t.Fatalf("%q became %q, where it is %s", before, after, got)
	}
	if old := before.get(path); old != nil {
		if back := after.set(path, old); !bytes.Equal(back, before) {
			t.Fatalf("%q became %q and then %q", before, after, back)
		}
		return
	}
	back := after.remove(path)
	if len(path) == 2 && before.get(path[:1]) == nil {
		back = back.remove(path[:1])
	}
	if diff := cmp.Diff(values(t, before), values(t, back)); diff != "" {
		t.Fatalf("%q became %q and then %q", before, after, back)
	}
}

// values lists the keys of the file in order with their values.
func values(t *testing.T, b text) [][2]string {
	open, _ := b.object(nil)
	list := [][2]string{}
	for _, m := range b.members(open) {
		var v bytes.Buffer
		if err := json.Compact(&v, b[m.value:m.valueEnd]); err != nil {
			t.Fatalf("%q: %v", b, err)
		}
		list = append(list, [2]string{m.key, v.String()})
	}
	return list
}
