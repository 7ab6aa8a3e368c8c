package jsonscan

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/google/go-cmp/cmp"
)

func TestReadRequest(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", MaxDepth) + strings.Repeat("]", MaxDepth)
	for _, c := range []struct {
		name, body string
		want       Request
		fails      string // a part of the message
	}{
		{"all three", `{"model":"m","stream":true,"max_tokens":10}`, Request{Model: "m", Stream: true, MaxTokens: 10}, ""},
		{"what bears on the price", `{"model":"m","speed":"fast","inference_geo":"us"}`, Request{Model: "m", Speed: "fast", Geography: "us"}, ""},
		{"what cannot be that", `{"model":"m","speed":["fast"],"inference_geo":null}`, Request{Model: "m"}, ""},
		{"a long one", `{"model":"m","speed":"` + strings.Repeat("fast", 20) + `"}`, Request{Model: "m"}, ""},
		{"a speed twice", `{"speed":"standard","model":"m","Speed":"fast"}`, Request{}, "speed is there more than once"},
		{"a geography twice", `{"inference_geo":"global","model":"m","inference_g\u0065o":"us"}`, Request{}, "inference_geo is there more than once"},
		{"white space", " {\n\t\"model\" : \"m\" ,\r\n \"stream\" : false } \n", Request{Model: "m"}, ""},
		{"null means not said", `{"model":"m","stream":null,"max_tokens":null}`, Request{Model: "m"}, ""},
		{"nested namesakes do not count", `{"metadata":{"model":"x","stream":true},"model":"m","a":[{"model":"y"}]}`, Request{Model: "m"}, ""},
		{"the name in a text does not count", `{"system":"\"model\":\"x\",","model":"m"}`, Request{Model: "m"}, ""},
		{"escaped name", `{"mod\u0065l":"m"}`, Request{Model: "m"}, ""},
		{"escaped value", `{"model":"\u006d[1m]"}`, Request{Model: "m[1m]"}, ""},
		{"as deep as may be", `{"model":"m","a":` + deep + `}`, Request{Model: "m"}, ""},

		{"duplicate", `{"model":"m","model":"m"}`, Request{}, "model is there more than once"},
		{"duplicate, escaped", `{"model":"cheap","mod\u0065l":"dear"}`, Request{}, "model is there more than once"},
		{"duplicate, in capitals", `{"model":"cheap","Model":"dear"}`, Request{}, "model is there more than once"},
		{"duplicate, in letters that fold", `{"model":"m","stream":false,"ſtream":true}`, Request{}, "stream is there more than once"},
		{"duplicate stream", `{"stream":false,"model":"m","stream":true}`, Request{}, "stream is there more than once"},
		{"duplicate max_tokens", `{"max_tokens":1,"model":"m","max_\u0074okens":1}`, Request{}, "max_tokens is there more than once"},
		{"no model", `{"messages":[]}`, Request{}, "model is required"},
		{"empty model", `{"model":""}`, Request{}, "model is required"},
		{"model is a number", `{"model":5}`, Request{}, "model must be a string"},
		{"model is null", `{"model":null}`, Request{}, "model must be a string"},
		{"model is a list", `{"model":["m"]}`, Request{}, "model must be a string"},
		{"model with a line break", `{"model":"m\n"}`, Request{}, "control characters"},
		{"model is long", `{"model":"` + strings.Repeat("m", 300) + `"}`, Request{}, "model is too long"},
		{"stream is a string", `{"model":"m","stream":"true"}`, Request{}, "stream must be a boolean"},
		{"max_tokens has a fraction", `{"model":"m","max_tokens":1.5}`, Request{}, "max_tokens must be a whole number"},
		{"max_tokens is negative", `{"model":"m","max_tokens":-1}`, Request{}, "max_tokens must be a whole number"},
		{"max_tokens is huge", `{"model":"m","max_tokens":9999999999999999999}`, Request{}, "max_tokens must be a whole number"},
		{"empty", ``, Request{}, "ends too early"},
		{"truncated", `{"model":"m"`, Request{}, "ends too early"},
		{"truncated in a string", `{"model":"m`, Request{}, "ends too early"},
		{"truncated in an escape", `{"model":"m\`, Request{}, "ends too early"},
		{"not an object", `["model"]`, Request{}, "not an object"},
		{"a byte order mark", "\ufeff" + `{"model":"m"}`, Request{}, "not an object"},
		{"trailing object", `{"model":"m"}{"model":"n"}`, Request{}, "follows the end"},
		{"trailing comma", `{"model":"m",}`, Request{}, "name in double quotes"},
		{"single quotes", `{'model':"m"}`, Request{}, "name in double quotes"},
		{"mismatched brackets", `{"model":"m","a":[1,2}`, Request{}, "closing bracket"},
		{"no colon", `{"model" "m"}`, Request{}, "needs a colon"},
		{"comment", `{"model":"m"/**/}`, Request{}, "closing bracket"},
		{"NaN", `{"model":"m","a":NaN}`, Request{}, "malformed"},
		{"leading zero", `{"model":"m","a":01}`, Request{}, "malformed"},
		{"too deep", `{"model":"m","a":[` + deep + `]}`, Request{}, "nested too deeply"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := ReadRequest([]byte(c.body))
			if c.fails == "" && err != nil {
				t.Fatalf("refused: %v", err)
			}
			if c.fails != "" && (!fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.fails)) {
				t.Fatalf("got error %v, want one that says %q", err, c.fails)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("read (-want +got):\n%s", diff)
			}
		})
	}
}

// FuzzReadRequest compares with encoding/json: what that refuses for more than
// the inside of a string is refused here, what is read is the same.
func FuzzReadRequest(f *testing.F) {
	f.Add([]byte(`{"model":"m","stream":true,"max_tokens":10,"a":[{"b":[1,2.5e-3,"\"\\",null]}]}`))
	f.Add([]byte(`{"mod\u0065l":"m\\","x":"` + strings.Repeat(`ab\n\"`, 20) + `"}`))
	f.Add([]byte(`{"model":"m","Model":"n"}`))
	f.Add([]byte(`{"model":"m","a":{}}trailing`))
	f.Add(claudeBody(2 << 10))
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := ReadRequest(body)
		var members map[string]json.RawMessage
		standard := json.Unmarshal(body, &members) // keeps the last of duplicates
		if err == nil {
			if sane := onlyGrammar(body); !json.Valid(sane) {
				t.Fatalf("accepted what is not JSON: %q", body)
			}
		}
		if standard != nil || members == nil {
			if err == nil && json.Valid(body) {
				t.Fatalf("accepted a body that is no object: %q", body)
			}
			return
		}
		want, ok := oracle(members)
		switch {
		case err == nil && (!ok || want != got):
			t.Fatalf("read %+v, encoding/json %+v, %v in %q", got, want, ok, body)
		case err != nil && ok && !mayRefuse(err):
			t.Fatalf("refused %q: %v", body, err)
		}
	})
}

// oracle reads the fields as encoding/json sees them; false if they are not
// what they should be.
func oracle(members map[string]json.RawMessage) (Request, bool) {
	var r Request
	if json.Unmarshal(members["model"], &r.Model) != nil || string(members["model"]) == "null" || r.Model == "" {
		return r, false
	}
	if raw := members["stream"]; raw != nil && json.Unmarshal(raw, &r.Stream) != nil {
		return r, false
	}
	if raw := members["max_tokens"]; raw != nil && json.Unmarshal(raw, &r.MaxTokens) != nil {
		return r, false
	}
	return r, true
}

// mayRefuse reports whether an error is one of the rules that are ours and not
// JSON's.
func mayRefuse(err error) bool {
	for _, ours := range []string{"more than once", "nested too deeply", "too long", "control characters", "whole number",
		"must be a boolean", "is required", "must be a string"} { // the last three: a spelling that only folds to ours
		if strings.Contains(err.Error(), ours) {
			return true
		}
	}
	return false
}

// onlyGrammar replaces what strings contain.
func onlyGrammar(body []byte) []byte {
	var out bytes.Buffer
	for i := 0; i < len(body); i++ {
		out.WriteByte(body[i])
		if body[i] != '"' {
			continue
		}
		for i++; i < len(body) && body[i] != '"'; i++ {
			if body[i] == '\\' {
				i++
			}
		}
		out.WriteByte('"')
	}
	return out.Bytes()
}
