package oauth

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/oauth"
)

func FuzzParseForm(f *testing.F) {
	for _, s := range []string{"", "grant_type=refresh_token&refresh_token=x", "a=1&a=2", "a=%zz", "a=%ff", "a;b", "=&=", "a=b&%61=c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		got, err := parseForm([]byte(body))
		if err != nil {
			if _, ok := errors.AsType[*oauth.Error](err); !ok {
				t.Fatalf("%q: %v is no answer of RFC 6749", body, err)
			}
			return
		}
		want, err := url.ParseQuery(body)
		if err != nil {
			t.Fatalf("%q is taken and not a form: %v", body, err)
		}
		for name, values := range want {
			if len(values) != 1 || got.get(name) != values[0] {
				t.Fatalf("%q: %q is %q, the form says %q", body, name, got.get(name), values)
			}
		}
	})
}

func FuzzParseObject(f *testing.F) {
	for _, s := range []string{`{}`, `{"grant_type":"refresh_token","refresh_token":"x"}`, `{"a":1,"a":"b"}`, `{"a":{"b":[1,{}]}}`, `[]`, `{"a":"b"}x`, `{"a`, "\xff", `{"\u0061":"b","a":"c"}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		got, err := parseObject([]byte(body))
		if err != nil {
			return
		}
		var want map[string]any
		if err := json.Unmarshal([]byte(body), &want); err != nil {
			t.Fatalf("%q is taken and not an object: %v", body, err)
		}
		for name, value := range want {
			if s, ok := value.(string); ok && got.get(name) != s {
				t.Fatalf("%q: %q is %q, want %q", body, name, got.get(name), s)
			}
		}
		for name := range got {
			if _, ok := want[name].(string); !ok {
				t.Fatalf("%q: %q was made up", body, name)
			}
		}
	})
}

// TestEveryFaultHasItsAnswer goes through all kinds: a fault of ours must never
// look like a refusal, which would sign people out.
func TestEveryFaultHasItsAnswer(t *testing.T) {
	t.Parallel()
	want := map[fault.Kind]int{fault.Internal: 503, fault.Invalid: 400, fault.Unauthenticated: 401, fault.Denied: 400, fault.NotFound: 400, fault.Conflict: 503,
		fault.TooLarge: 413, fault.RateLimited: 429, fault.Billing: 503, fault.Unsupported: 503, fault.Unavailable: 503, fault.Overloaded: 503, fault.Timeout: 503}
	for kind, status := range want {
		got, code, text := wire(fault.Wrap(kind, errors.New("canary-cause"), "the message"))
		if got != status || code == "" || text == "" || text == "canary-cause" {
			t.Errorf("%s: %d %s %q", kind, got, code, text)
		}
	}
	if got, _, text := wire(errors.New("canary-cause")); got != 503 || text != "the server cannot answer just now: try again in a moment" {
		t.Errorf("an error that is no fault: %d %q", got, text)
	}
}

func TestBodiesAreBounded(t *testing.T) {
	t.Parallel()
	for size, want := range map[int]fault.Kind{maxBody: fault.Internal, maxBody + 1: fault.TooLarge} {
		r := httptest.NewRequest(http.MethodPost, "/", &zeros{left: size})
		_, err := readBody(httptest.NewRecorder(), r)
		if (want == fault.TooLarge) != fault.Is(err, fault.TooLarge) {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

// zeros is a body of so many bytes.
type zeros struct{ left int }

func (z *zeros) Read(p []byte) (int, error) {
	n := min(len(p), z.left)
	z.left -= n
	if n == 0 {
		return 0, errEnd
	}
	return n, nil
}

var errEnd = func() error { _, err := http.NoBody.Read(nil); return err }()
