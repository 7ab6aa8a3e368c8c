package login

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

func listening(t *testing.T) *callback {
	t.Helper()
	c, err := listen(0, expectation{state: secret.New("the-state"), issuer: here, issuerRequired: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.close)
	return c
}

// visit makes one request to the listener and returns its status.
func (c *callback) visit(t *testing.T, method, path string, change func(*http.Request)) (int, http.Header, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+c.host+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(req)
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(b)
}

const answerPath = "/callback?state=the-state&code=the-code&iss=https%3A%2F%2Fgate.example.com"

// None of these ends the wait, and none is told anything.
func TestCallbackTurnsOthersAway(t *testing.T) {
	t.Parallel()
	c := listening(t)
	for _, tt := range []struct {
		name, method, path string
		change             func(*http.Request)
		want               int
	}{
		{"no state", "GET", "/callback?code=x", nil, 400},
		{"empty state", "GET", "/callback?code=x&state=", nil, 400},
		{"wrong state", "GET", "/callback?code=x&state=guess", nil, 400},
		{"state twice", "GET", answerPath + "&state=the-state", nil, 400},
		{"code twice", "GET", answerPath + "&code=other", nil, 400},
		{"another path", "GET", "/", nil, 404},
		{"a path below", "GET", "/callback/x?state=the-state&code=c", nil, 404},
		{"an escaped path", "GET", "/%63allback?state=the-state&code=c", nil, 404},
		{"POST", "POST", answerPath, nil, 405},
		{"a preflight", "OPTIONS", answerPath, func(r *http.Request) { r.Header.Set("Origin", "https://evil.example.com") }, 405},
		{"another host", "GET", answerPath, func(r *http.Request) { r.Host = "rebound.example.com" }, 421},
		{"localhost", "GET", answerPath, func(r *http.Request) { r.Host = strings.Replace(c.host, "127.0.0.1", "localhost", 1) }, 421},
	} {
		status, header, page := c.visit(t, tt.method, tt.path, tt.change)
		if status != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, status, tt.want)
		}
		if header.Get("Access-Control-Allow-Origin") != "" || !strings.Contains(header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: headers %v", tt.name, header)
		}
		if strings.Contains(page, "the-") {
			t.Errorf("%s: the page tells %q", tt.name, page)
		}
	}
	select {
	case r := <-c.answers:
		t.Fatalf("the wait is over: %v", r.err)
	default:
	}
	if status, _, _ := c.visit(t, "GET", answerPath, nil); status != 200 {
		t.Errorf("the real answer: %d", status)
	}
	if status, _, _ := c.visit(t, "GET", answerPath, nil); status != 410 {
		t.Errorf("the same answer again: %d", status)
	}
	code, err := c.wait(t.Context(), Hands{})
	if err != nil || code.Reveal() != "the-code" {
		t.Errorf("%q, %v", code.Reveal(), err)
	}
}

func TestCallbackErrors(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]fault.Kind{
		"error=access_denied&iss=" + here:   fault.Denied,
		"error=server_error&iss=" + here:    fault.Invalid,
		"code=c":                            fault.Denied, // the server always names itself
		"code=c&iss=https://evil.example.c": fault.Denied,
		"iss=" + here:                       fault.Invalid,
	} {
		c := listening(t)
		if status, _, _ := c.visit(t, "GET", "/callback?state=the-state&"+query, nil); status != 200 {
			t.Errorf("%s: %d", query, status)
		}
		if code, err := c.wait(t.Context(), Hands{}); !fault.Is(err, want) || !code.Empty() {
			t.Errorf("%s: %v", query, err)
		}
	}
}

// The whole way: what is sent, that PKCE binds the code to it, and that the
// listener is gone afterwards.
func TestBrowser(t *testing.T) {
	t.Parallel()
	var shown *url.URL
	c := client(func(_ *http.Request, form url.Values) string {
		sum := sha256.Sum256([]byte(form.Get("code_verifier")))
		q := shown.Query()
		if form.Get("grant_type") != "authorization_code" || form.Get("code") != "the-code" || form.Get("redirect_uri") != q.Get("redirect_uri") ||
			form.Get("client_id") != ClientID || base64.RawURLEncoding.EncodeToString(sum[:]) != q.Get("code_challenge") || len(form.Get("code_verifier")) < 43 {
			t.Errorf("sent %v after %v", form, q)
		}
		return goodPair
	})
	_, err := c.Browser(t.Context(), Device{Name: "box", System: "linux/amd64", Version: "0.1.0"}, Hands{Show: func(address string) {
		var err error
		if shown, err = url.Parse(address); err != nil {
			t.Error(err)
			return
		}
		q := shown.Query()
		if !strings.HasPrefix(address, here+"/oauth/authorize?") || q.Get("response_type") != "code" || q.Get("client_id") != ClientID ||
			q.Get("code_challenge_method") != "S256" || len(q.Get("state")) < 43 || q.Get("device_name") != "box" || q.Get("device_system") != "linux/amd64" || q.Get("client_version") != "0.1.0" {
			t.Errorf("shown %s", address)
		}
		go func() {
			resp, err := http.Get(q.Get("redirect_uri") + "?code=the-code&state=" + q.Get("state"))
			if err == nil {
				_ = resp.Body.Close()
			}
		}()
	}})
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := http.Get(shown.Query().Get("redirect_uri")); err == nil {
		_ = resp.Body.Close()
		t.Error("the listener is still there")
	}
}

// A port that is taken is said to be, before anything is shown.
func TestBrowserWithoutAPort(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = client(nil).Browser(t.Context(), Device{}, Hands{Port: l.Addr().(*net.TCPAddr).Port, Show: func(string) { t.Error("it was shown") }})
	if !fault.Is(err, fault.Unsupported) || !strings.Contains(fault.Message(err), "is taken by another program") {
		t.Errorf("%v", err)
	}
}

func TestBrowserGivenUp(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	_, err := client(nil).Browser(ctx, Device{}, Hands{Show: func(string) { cancel() }})
	if !fault.Is(err, fault.Timeout) {
		t.Errorf("%v", err)
	}
}
