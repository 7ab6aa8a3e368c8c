package jsontext

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
		parsed, err := Parse([]byte(tt.in), Strict)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(tt.want, string(parsed.Set(tt.path, value).Bytes())); diff != "" {
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
		parsed, err := Parse([]byte(in), Strict)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(parsed.Remove([]string{"k"}).Bytes())); diff != "" {
			t.Errorf("%s (-want +got):\n%s", in, diff)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"{", "[]", "null", `"x"`, "{} {}", `{"a":1,}`, "{\n// no\n}", `{"a":1,"a":2}`, `{"a":1,"\u0061":2}`} {
		if got, err := Parse([]byte(in), Strict); err == nil {
			t.Errorf("Parse(%q) = %q", in, got.Bytes())
		}
	}
}

func TestCheckRefuses(t *testing.T) {
	t.Parallel()
	for _, in := range []string{`{"env":{"A":"1","A":"2"}}`, `{"env":[]}`, `{"env":null}`, `{"env":"x"}`} {
		parsed, err := Parse([]byte(in), Strict)
		if err != nil {
			t.Fatal(err)
		}
		if parsed.Check([]string{"env", "K"}) == nil {
			t.Errorf("%s passes", in)
		}
	}
	for _, in := range []string{`{}`, `{"env":{}}`, `{"apiKeyHelper":1}`} {
		parsed, _ := Parse([]byte(in), Strict)
		for _, path := range [][]string{{"env", "K"}, {"apiKeyHelper"}} {
			if err := parsed.Check(path); err != nil {
				t.Errorf("%s: %v", in, err)
			}
		}
	}
}

// What VS Code keeps: comments and commas stay where they are.
func TestComments(t *testing.T) {
	t.Parallel()
	value := json.RawMessage(`"v"`)
	list := []string{"vars", Named("K")}
	for name, tt := range map[string]struct {
		in   string
		path []string
		want string
		back string // after Remove, where it is not in
	}{
		"before":        {"{\n  // a\n  \"a\": 1\n}\n", []string{"k"}, "{\n  // a\n  \"a\": 1,\n  \"k\": \"v\"\n}\n", ""},
		"same line":     {"{\n  \"a\": 1 // why, {\n}\n", []string{"k"}, "{\n  \"a\": 1, // why, {\n  \"k\": \"v\"\n}\n", ""},
		"trailing":      {"{\n  \"a\": 1,\n}\n", []string{"k"}, "{\n  \"a\": 1,\n  \"k\": \"v\",\n}\n", ""},
		"both":          {"{\n  \"a\": 1, // why\n}\n", []string{"k"}, "{\n  \"a\": 1, // why\n  \"k\": \"v\",\n}\n", ""},
		"block":         {"{\n  \"a\": 1 /* one\n two */\n}\n", []string{"k"}, "{\n  \"a\": 1,\n  \"k\": \"v\" /* one\n two */\n}\n", ""},
		"only comments": {"{\n  // nothing yet\n}\n", []string{"k"}, "{\n  // nothing yet\n  \"k\": \"v\"\n}\n", ""},
		"one line":      {`{"a":1 /* x */}`, []string{"k"}, `{"a":1,"k":"v" /* x */}`, ""},
		"in a string":   {`{"a":"// no"}`, []string{"k"}, `{"a":"// no","k":"v"}`, ""},
		"a new list":    {"{\n  \"a\": 1\n}", list, "{\n  \"a\": 1,\n  \"vars\": [\n    {\"name\":\"K\"}\n  ]\n}", "{\n  \"a\": 1,\n  \"vars\": []\n}"},
		"a list":        {"{\n  \"vars\": [\n    { \"name\": \"A\" }, // first\n  ]\n}", list, "{\n  \"vars\": [\n    { \"name\": \"A\" }, // first\n    {\"name\":\"K\"},\n  ]\n}", ""},
		"in the list":   {`{"vars":[{"name":"K","value":"old"}]}`, list, `{"vars":[{"name":"K"}]}`, `{"vars":[]}`},
	} {
		parsed, err := Parse([]byte(tt.in), Comments)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		value := value
		if len(tt.path) == 2 {
			value = json.RawMessage(`{"name":"K"}`)
		}
		set := parsed.Set(tt.path, value)
		if diff := cmp.Diff(tt.want, string(set.Bytes())); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if _, err := Parse(set.Bytes(), Comments); err != nil {
			t.Errorf("%s: %q: %v", name, set.Bytes(), err)
		}
		want := tt.back
		if want == "" && name != "both" {
			want = tt.in
		}
		if back := string(set.Remove(tt.path).Bytes()); want != "" && back != want {
			t.Errorf("%s: taken back %q, want %q", name, back, want)
		}
	}
}

func TestCommentsRefused(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"{/*", "{,}", `{"a":1,,}`, `{"a":[,]}`, `{"a":"b`, "{} // x\n{}", `{"a":/}`, "{\"a\":\"x\ny\"}"} {
		if got, err := Parse([]byte(in), Comments); err == nil {
			t.Errorf("Parse(%q) = %q", in, got.Bytes())
		}
	}
}

// FuzzSet proves for any file we accept that a change is valid in its dialect,
// changes that key alone, keeps the others in their order, and can be taken back.
func FuzzSet(f *testing.F) {
	for _, seed := range []string{"", "{}", "{\n}", `{"env":{}}`, "{\n  \"a\": [1, {\"b\": \"\\\"}\"}],\n  \"env\": {\"X\": \"y\"}\n}\n", "\xef\xbb\xbf{\"a\":1}",
		`{"apiKeyHelper":"x","z":-1.5e3}`, `{"a":"\\"}`, "{\r\n\t\"a\" :\ttrue\r\n}", "// x\n{ // y\n \"a\": 1, /* z */\n}", "{\"env\":{/**/},}//", "{\"vars\":[{\"name\":\"A\"},]}"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		for _, d := range []Dialect{Strict, Comments} {
			before, err := Parse(in, d)
			if err != nil {
				continue
			}
			for _, path := range [][]string{{"apiKeyHelper"}, {"env", "ANTHROPIC_BASE_URL"}, {"vars", Named("A B")}} {
				if before.Check(path) == nil {
					checkSet(t, before, path)
				}
			}
		}
	})
}

func checkSet(t *testing.T, before Text, path []string) {
	value := json.RawMessage(`"a } \" ,\\"`)
	if isElement(path[len(path)-1]) {
		value = json.RawMessage(`{"name":"A B","value":"// ,"}`)
	}
	after := before.Set(path, value)
	if _, err := Parse(after.Bytes(), after.dialect); err != nil {
		t.Fatalf("%q became %q: %v", before.raw, after.raw, err)
	}
	if got := after.Get(path); !bytes.Equal(got, value) {
		t.Fatalf("%q became %q, where it is %s", before.raw, after.raw, got)
	}
	if old := before.Get(path); old != nil {
		if back := after.Set(path, old); !bytes.Equal(back.raw, before.raw) {
			t.Fatalf("%q became %q and then %q", before.raw, after.raw, back.raw)
		}
		return
	}
	back := after.Remove(path)
	if len(path) == 2 && before.Get(path[:1]) == nil {
		back = back.Remove(path[:1])
	}
	if _, err := Parse(back.Bytes(), back.dialect); err != nil {
		t.Fatalf("%q became %q and then %q: %v", before.raw, after.raw, back.raw, err)
	}
	if diff := cmp.Diff(values(t, before), values(t, back)); diff != "" {
		t.Fatalf("%q became %q and then %q", before.raw, after.raw, back.raw)
	}
}

// values lists the keys of the file in order with their values.
func values(t *testing.T, b Text) [][2]string {
	open, _ := b.container(nil)
	strict := b.strict()
	list := [][2]string{}
	for _, m := range b.members(open) {
		var v bytes.Buffer
		if err := json.Compact(&v, strict[m.value:m.valueEnd]); err != nil {
			t.Fatalf("%q: %v", b.raw, err)
		}
		list = append(list, [2]string{m.key, v.String()})
	}
	return list
}
