package agent

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/google/go-cmp/cmp"
)

func TestRequestsComeThroughAsTheyWere(t *testing.T) {
	for _, want := range []Request{
		{Verb: VerbStatus},
		{Verb: VerbToken, Profile: "work", Server: "https://gate.example.com", Home: HomeOf("/a", "/b"), Refused: sha256.Sum256([]byte("x"))},
		{Verb: VerbUnlock, Passphrase: secret.New("correct \"horse\"\u2028")},
	} {
		var b bytes.Buffer
		if err := writeRequest(&b, want); err != nil {
			t.Fatal(err)
		}
		got, err := readRequest(&b)
		if err != nil || got != want {
			t.Errorf("%+v, %v", got, err)
		}
	}
}

func TestBadRequests(t *testing.T) {
	for line, want := range map[string]fault.Kind{
		"\n":                              fault.Invalid,
		"null\n":                          fault.Unsupported,
		"[]\n":                            fault.Invalid,
		"{\"v\":1,\"verb\":\"token\"}x\n": fault.Invalid,
		`{"v":2,"verb":"token"}` + "\n":   fault.Unsupported,
		`{"verb":"token"}` + "\n":         fault.Unsupported,
		`{"v":1,"verb":7}` + "\n":         fault.Invalid,
		`{"v":1,"profile":"../x"}` + "\n": fault.Invalid,
		`{"v":1,"profile":"` + strings.Repeat("x", 65) + `"}` + "\n": fault.Invalid,
		`{"v":1,"refused":"zz"}` + "\n":                              fault.Invalid,
		`{"v":1,"refused":"00"}` + "\n":                              fault.Invalid,
		strings.Repeat(" ", maxLine) + "{}\n":                        fault.TooLarge,
		`{"v":1,"verb":"token"}`:                                     fault.Internal, // its end is missing
	} {
		if _, err := readRequest(strings.NewReader(line)); err == nil || fault.KindOf(err) != want {
			t.Errorf("%.60q: %v", line, err)
		}
	}
	if _, err := readRequest(strings.NewReader("")); !errors.Is(err, errNothing) {
		t.Error(err)
	}
}

func TestAnswersComeThroughAsTheyWere(t *testing.T) {
	through := func(a Answer) Answer {
		var b bytes.Buffer
		if err := writeAnswer(&b, a); err != nil {
			t.Fatal(err)
		}
		got, err := readAnswer(&b)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	token := &Token{Access: secret.New("eyJ.x.y"), Expires: time.Unix(1767225600, 0), Server: "https://gate.example.com"}
	if got := through(Answer{Token: token}); got.Token == nil || *got.Token != *token {
		t.Errorf("%+v", got)
	}
	status := &Status{Process: 7, Since: time.Unix(1, 0).UTC(), Ends: time.Unix(2, 0).UTC(), Held: []ProfileStatus{}, Shared: []string{"work"}}
	if got := through(Answer{Status: status}); !cmp.Equal(got.Status, status) {
		t.Errorf("%+v", got)
	}
	got := through(Answer{Err: fault.New(fault.Unauthenticated, "over \x1b[2J\n and out").WithHint("gatehouse login")})
	if f, ok := errors.AsType[*fault.Error](got.Err); !ok || f.Kind != fault.Unauthenticated || f.Message != "over  [2J  and out" || f.Hint != "gatehouse login" {
		t.Errorf("%+v", got.Err)
	}
	if got := through(Answer{Err: ErrElsewhere}); !errors.Is(got.Err, ErrElsewhere) {
		t.Errorf("%v", got.Err)
	}
	if _, err := readAnswer(strings.NewReader(`{"v":1,"token":{"access_token":"two\nlines"}}` + "\n")); err == nil {
		t.Error("a token of two lines was taken")
	}
}

// Whatever is sent, the parser ends, quotes nothing in its error, and what it takes
// is within bounds and comes through again.
func FuzzRequest(f *testing.F) {
	for _, line := range []string{`{"v":1,"verb":"token"}`, `{"v":1,"verb":"unlock","passphrase":"x","profile":"work"}`, `{"v":1,"refused":"` + strings.Repeat("a", 64) + `"}`, "", "{}", `{"v":1e0}`} {
		f.Add([]byte(line + "\n"))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := readRequest(bytes.NewReader(b))
		if err != nil {
			if strings.Contains(err.Error(), "canary") {
				t.Error("the error quotes")
			}
			return
		}
		var again bytes.Buffer
		if err := writeRequest(&again, r); err != nil {
			if fault.Is(err, fault.TooLarge) {
				return // escaping made it longer
			}
			t.Fatal(err)
		}
		if got, err := readRequest(&again); err != nil || got != r {
			t.Errorf("%+v became %+v, %v", r, got, err)
		}
	})
}
