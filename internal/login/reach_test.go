package login

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// A server that takes the request and says nothing.
func TestASlowServer(t *testing.T) {
	t.Parallel()
	over := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-over:
		}
	}))
	defer s.Close()
	defer close(over)
	c := Client{Now: time.Now, Transport: Trust{}.Transport(), Patience: 20 * time.Millisecond}
	_, err := c.Discover(t.Context(), s.URL)
	if !fault.Is(err, fault.Unavailable) || !strings.Contains(fault.Message(err), "no answer in time") {
		t.Errorf("%v", err)
	}
}

func TestAServerWithoutTLS(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	c := Client{Now: time.Now, Transport: Trust{}.Transport()}
	_, err := c.Discover(t.Context(), strings.Replace(s.URL, "http:", "https:", 1))
	if !fault.Is(err, fault.Unavailable) || !strings.Contains(fault.Message(err), "does not speak TLS") {
		t.Errorf("%v", err)
	}
}

// The certificate of httptest names example.com and 127.0.0.1.
func TestACertificateOfAnotherServer(t *testing.T) {
	t.Parallel()
	s := httptest.NewTLSServer(http.NotFoundHandler())
	defer s.Close()
	transport := s.Client().Transport.(*http.Transport).Clone()
	transport.TLSClientConfig.ServerName = "gate.example.test"
	c := Client{Now: time.Now, Transport: transport}
	_, err := c.Discover(t.Context(), s.URL)
	if !fault.Is(err, fault.Unavailable) || !strings.Contains(fault.Message(err), "is of another server, example.com") {
		t.Errorf("%v", err)
	}
}

// What a file of roots is not, and that nothing is read before it is needed.
func TestRoots(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	big := filepath.Join(folder, "big")
	if err := os.WriteFile(big, []byte(strings.Repeat(" ", maxRoots+1)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(folder, "nothing"), folder, big} {
		if err := CheckRoots(path); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", path, err)
		}
		c := Client{Now: time.Now, Transport: Trust{CAFile: path}.Transport()}
		if _, err := c.Discover(t.Context(), "https://127.0.0.1:1"); !fault.Is(err, fault.Invalid) || !strings.Contains(fault.Message(err), "holds no certificates") {
			t.Errorf("%s: %v", path, err)
		}
		c.Transport = Trust{Extra: []string{path}}.Transport()
		if _, err := c.Discover(t.Context(), "https://127.0.0.1:1"); !fault.Is(err, fault.Unavailable) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// A refresh token goes to the server that gave it, and to nobody under its name.
func TestAnotherServerUnderTheSameName(t *testing.T) {
	t.Parallel()
	metadata := func(instance string) string {
		return `200 {"issuer":"` + here + `","token_endpoint":"` + here + `/oauth/token","instance_id":"` + instance + `"}`
	}
	for name, tt := range map[string]struct {
		remembered, says string
		want             fault.Kind // 0: the token is sent
		code             string
	}{
		"the same":            {"inst_one", metadata("inst_one"), 0, ""},
		"nothing remembered":  {"", metadata("inst_two"), 0, ""},
		"another":             {"inst_one", metadata("inst_two"), fault.Unauthenticated, OtherServer},
		"one that is silent":  {"inst_one", metadata(""), fault.Unavailable, OtherServer},
		"one that is crooked": {"inst_one", metadata("inst one"), fault.Unavailable, ""},
		"a page":              {"inst_one", "200 <html>", fault.Unavailable, ""},
		"a redirect":          {"inst_one", "302 ", fault.Unavailable, ""},
		"another issuer":      {"inst_one", `200 {"issuer":"https://evil.example.com","token_endpoint":"` + here + `/t","instance_id":"inst_one"}`, fault.Unavailable, ""},
		"a failure":           {"inst_one", "500 ", fault.Unavailable, ""},
		"nobody":              {"inst_one", "", fault.Unavailable, ""},
	} {
		sent := 0
		c := client(func(r *http.Request, form url.Values) string {
			if strings.HasPrefix(r.URL.Path, "/.well-known/") {
				if len(form) > 0 || r.Header.Get("Authorization") != "" {
					t.Errorf("%s: the question holds %v", name, form)
				}
				return tt.says
			}
			sent++
			return goodPair
		})
		c.Server.Instance = tt.remembered
		for what, do := range map[string]func() error{
			"exchange": func() error {
				_, err := c.Exchange(t.Context(), credential.Pair{Refresh: secret.New("r1")})
				return err
			},
			"revoke": func() error { return c.Revoke(t.Context(), credential.Pair{Refresh: secret.New("r1")}) },
		} {
			sent = 0
			err := do()
			f, _ := err.(*fault.Error)
			if tt.want == 0 {
				if err != nil || sent != 1 {
					t.Errorf("%s, %s: %v, sent %d times", name, what, err, sent)
				}
			} else if f == nil || f.Kind != tt.want || f.Code != tt.code || sent != 0 {
				t.Errorf("%s, %s: %v, sent %d times", name, what, err, sent)
			}
		}
	}
}
