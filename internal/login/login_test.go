package login

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/google/go-cmp/cmp"
)

const here = "https://gate.example.com"

// wire answers requests without a network: each answer is "status body".
type wire func(r *http.Request, form url.Values) string

func (w wire) RoundTrip(r *http.Request) (*http.Response, error) {
	form := url.Values{}
	if r.Body != nil {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		if form, err = url.ParseQuery(string(b)); err != nil {
			return nil, err
		}
	}
	said := w(r, form)
	if said == "" {
		return nil, fmt.Errorf("connection refused")
	}
	var status int
	if _, err := fmt.Sscan(said[:3], &status); err != nil {
		return nil, err
	}
	header := http.Header{}
	if status >= 300 && status < 400 {
		header.Set("Location", "https://evil.example.com/")
	}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(said[4:])), Request: r}, nil
}

func client(w wire) *Client {
	return &Client{Server: Server{Origin: here, Authorization: here + "/oauth/authorize", Device: here + "/oauth/device_authorization",
		Token: here + "/oauth/token", Revocation: here + "/oauth/revoke"}, Agent: "gatehouse/0 (x/y)", Now: time.Now, Transport: w,
		Wait: func(ctx context.Context, d time.Duration) error {
			select {
			case <-time.After(d):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}}
}

const goodPair = `200 {"access_token":"a.b.c","token_type":"bearer","expires_in":3600,"refresh_token":"r2"}`

func TestParseServer(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"gate.example.com": here, "https://gate.example.com/": here, "HTTPS://Gate.Example.COM:443": here, "  https://gate.example.com ": here,
		"https://gate.example.com:8443": "https://gate.example.com:8443", "http://127.0.0.1:8080": "http://127.0.0.1:8080",
		"http://localhost": "http://localhost", "http://[::1]:80/": "http://[::1]", "http://127.9.9.9:1": "http://127.9.9.9:1",
	} {
		if got, err := ParseServer(in); err != nil || got != want {
			t.Errorf("ParseServer(%q) = %q, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "https://", "http://gate.example.com", "http://127.0.0.1.example.com", "http://localhost.example.com", "ftp://gate.example.com",
		"https://u:p@gate.example.com", "https://gate.example.com/x", "https://gate.example.com/?q", "https://gate.example.com/#f", "https:gate", "http://10.0.0.1", "javascript:x"} {
		if got, err := ParseServer(in); !fault.Is(err, fault.Invalid) {
			t.Errorf("ParseServer(%q) = %q, %v", in, got, err)
		}
	}
}

func TestDiscover(t *testing.T) {
	t.Parallel()
	good := `{"issuer":"https://gate.example.com","token_endpoint":"https://gate.example.com/t","device_authorization_endpoint":"https://gate.example.com/d"}`
	got, err := client(func(r *http.Request, _ url.Values) string {
		if r.URL.String() != here+"/.well-known/oauth-authorization-server" || r.Header.Get("User-Agent") != "gatehouse/0 (x/y)" {
			t.Errorf("asked %s as %s", r.URL, r.UserAgent())
		}
		return "200 " + good
	}).Discover(t.Context(), "gate.example.com")
	want := Server{Origin: here, Token: here + "/t", Device: here + "/d"}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for name, tt := range map[string]struct {
		says string
		want fault.Kind
	}{
		"another issuer":         {`200 {"issuer":"https://evil.example.com","token_endpoint":"https://gate.example.com/t"}`, fault.Invalid},
		"an endpoint elsewhere":  {`200 {"issuer":"https://gate.example.com","token_endpoint":"https://evil.example.com/t"}`, fault.Invalid},
		"an endpoint over http":  {`200 {"issuer":"https://gate.example.com","token_endpoint":"http://gate.example.com/t"}`, fault.Invalid},
		"another port":           {`200 {"issuer":"https://gate.example.com","token_endpoint":"https://gate.example.com:444/t"}`, fault.Invalid},
		"a user in the endpoint": {`200 {"issuer":"https://gate.example.com","token_endpoint":"https://gate.example.com@evil.example.com/t"}`, fault.Invalid},
		"no token endpoint":      {`200 {"issuer":"https://gate.example.com"}`, fault.Invalid},
		"a web page":             {`200 <html>`, fault.Invalid},
		"nothing of the sort":    {`404 {}`, fault.Invalid},
		"a redirect":             {`302 `, fault.Invalid},
		"a failure":              {`502 `, fault.Unavailable},
		"silence":                {``, fault.Unavailable},
		"too much":               {"200 " + strings.Repeat(" ", maxAnswer+1), fault.Unavailable},
	} {
		asked := 0
		_, err := client(func(*http.Request, url.Values) string { asked++; return tt.says }).Discover(t.Context(), here)
		if !fault.Is(err, tt.want) || asked != 1 {
			t.Errorf("%s: %v after %d requests", name, err, asked)
		}
	}
}

func TestExchange(t *testing.T) {
	t.Parallel()
	old := credential.Pair{Refresh: secret.New("r1")}
	got, err := client(func(r *http.Request, form url.Values) string {
		want := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"r1"}, "client_id": {"gatehouse"}}
		if diff := cmp.Diff(want, form); diff != "" || r.URL.String() != here+"/oauth/token" || r.Method != http.MethodPost {
			t.Errorf("%s %s (-want +got):\n%s", r.Method, r.URL, diff)
		}
		return goodPair
	}).Exchange(t.Context(), old)
	if err != nil || got.Access.Reveal() != "a.b.c" || got.Refresh.Reveal() != "r2" || time.Until(got.Expires) < 59*time.Minute {
		t.Errorf("%v", err)
	}
	kept, err := client(func(*http.Request, url.Values) string {
		return `200 {"access_token":"a","token_type":"Bearer","expires_in":60}`
	}).Exchange(t.Context(), old)
	if err != nil || !kept.SameChain(old) {
		t.Errorf("a refresh token that was not replaced is lost: %v", err)
	}
	for says, want := range map[string]fault.Kind{
		`401 {"error":"invalid_grant"}`:           fault.Unauthenticated,
		`400 {"error":"invalid_grant"}`:           fault.Unauthenticated,
		`401 {"error":"invalid_client"}`:          fault.Invalid,
		`401 <html>proxy`:                         fault.Unavailable,
		`401 {}`:                                  fault.Unavailable,
		`403 Forbidden`:                           fault.Unavailable,
		`503 {"error":"invalid_grant"}`:           fault.Unavailable,
		`429 {"error":"invalid_grant"}`:           fault.Unavailable,
		`400 {"error":"temporarily_unavailable"}`: fault.Unavailable,
		`307 `:  fault.Unavailable,
		`200 {`: fault.Unavailable,
		`200 {"access_token":"a","token_type":"mac","expires_in":1}`:       fault.Unavailable,
		`200 {"access_token":"a b","token_type":"Bearer","expires_in":1}`:  fault.Unavailable,
		`200 {"access_token":"a","token_type":"Bearer"}`:                   fault.Unavailable,
		`200 {"access_token":"a","token_type":"Bearer","expires_in":-1}`:   fault.Unavailable,
		`200 {"access_token":"a","token_type":"Bearer","expires_in":1e99}`: fault.Unavailable,
		``: fault.Unavailable,
	} {
		if _, err := client(func(*http.Request, url.Values) string { return says }).Exchange(t.Context(), old); !fault.Is(err, want) {
			t.Errorf("%s: %v, want %v", says, err, want)
		} else if strings.Contains(err.Error(), "r1") {
			t.Errorf("the error quotes the token: %v", err)
		}
	}
}

func TestTheNextStepIsSaidOnce(t *testing.T) {
	t.Parallel()
	_, err := client(func(*http.Request, url.Values) string {
		return `401 {"error":"invalid_grant","error_description":"the session was ended: sign in again with: gatehouse login"}`
	}).Exchange(t.Context(), credential.Pair{Refresh: secret.New("r1")})
	if want := "the sign-in at " + here + " has ended: the session was ended"; err == nil || err.(*fault.Error).Message != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// The times between polls, with everything that can be said in between.
func TestAwaitDevice(t *testing.T) {
	t.Parallel()
	start := `200 {"device_code":"dc","user_code":"ABCD","verification_uri":"https://gate.example.com/device","expires_in":600,"interval":2}`
	for name, tt := range map[string]struct {
		says []string
		at   []int // seconds of the polls
		want fault.Kind
		ok   bool
	}{
		"at once":      {[]string{goodPair}, []int{2}, 0, true},
		"pending":      {[]string{pending, pending, goodPair}, []int{2, 4, 6}, 0, true},
		"slower":       {[]string{slower, pending, slower, goodPair}, []int{2, 9, 16, 28}, 0, true},
		"hiccups":      {[]string{"", "502 ", goodPair}, []int{2, 6, 14}, 0, true},
		"denied":       {[]string{pending, `400 {"error":"access_denied"}`}, []int{2, 4}, fault.Denied, false},
		"ran out":      {[]string{`400 {"error":"expired_token"}`}, []int{2}, fault.Timeout, false},
		"not our code": {[]string{`401 {"error":"invalid_grant"}`}, []int{2}, fault.Timeout, false},
		"not allowed":  {[]string{`400 {"error":"unauthorized_client"}`}, []int{2}, fault.Invalid, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			begin := time.Now()
			var at []int
			c := client(func(_ *http.Request, form url.Values) string {
				if form.Get("grant_type") == "" {
					if form.Get("client_id") != ClientID || form.Get("device_name") != "box" || form.Get("device_system") != "linux/amd64" {
						t.Errorf("asked with %v", form)
					}
					return start
				}
				at = append(at, int(time.Since(begin).Seconds()))
				return tt.says[len(at)-1]
			})
			code, err := c.StartDevice(t.Context(), Device{Name: "box", System: "linux/amd64"})
			if err != nil || code.UserCode != "ABCD" || code.URL != here+"/device" || code.Complete != "" {
				t.Fatalf("%s: %+v, %v", name, code, err)
			}
			_, err = c.AwaitDevice(t.Context(), code)
			if diff := cmp.Diff(tt.at, at); diff != "" || (err == nil) != tt.ok || err != nil && !fault.Is(err, tt.want) {
				t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
			}
		})
	}
}

const (
	pending = `400 {"error":"authorization_pending"}`
	slower  = `400 {"error":"slow_down"}`
)

func TestDeviceCodeRunsOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := client(func(*http.Request, url.Values) string { return pending })
		begin := time.Now()
		_, err := c.AwaitDevice(t.Context(), DeviceCode{Expires: begin.Add(time.Minute), interval: 7 * time.Second})
		if !fault.Is(err, fault.Timeout) || time.Since(begin) != 63*time.Second {
			t.Errorf("after %v: %v", time.Since(begin), err)
		}
	})
}

func TestDeviceAnswersThatAreNotBelieved(t *testing.T) {
	t.Parallel()
	for _, says := range []string{
		`200 {}`, `200 [`,
		`200 {"device_code":"dc","user_code":"A","verification_uri":"https://evil.example.com/device"}`,
		`200 {"device_code":"dc","user_code":"A","verification_uri":"javascript:alert(1)"}`,
		`200 {"device_code":"dc","user_code":"A\u001b[2J","verification_uri":"https://gate.example.com/device"}`,
		`200 {"device_code":"","user_code":"A","verification_uri":"https://gate.example.com/device"}`,
	} {
		if code, err := client(func(*http.Request, url.Values) string { return says }).StartDevice(t.Context(), Device{}); err == nil {
			t.Errorf("%s gives %+v", says, code)
		}
	}
}

func TestMemory(t *testing.T) {
	t.Parallel()
	m := Memory{Dir: t.TempDir() + "/gatehouse"}
	if _, err := m.Recall(""); !fault.Is(err, fault.NotFound) || m.LastServer() != "" {
		t.Errorf("an empty memory recalls something: %v", err)
	}
	want := Enrolment{Server: client(nil).Server, SignedIn: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)}
	if err := m.Remember("", want); err != nil {
		t.Fatal(err)
	}
	got, err := m.Recall("default")
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if err := m.Forget(""); err != nil || m.LastServer() != here {
		t.Errorf("the server is forgotten: %q, %v", m.LastServer(), err)
	}
	want.Token = "https://evil.example.com/token"
	if err := m.Remember("", want); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Recall(""); !fault.Is(err, fault.Invalid) {
		t.Errorf("an endpoint that points elsewhere is recalled: %v", err)
	}
}

func FuzzAnswers(f *testing.F) {
	f.Add([]byte(goodPair[4:]))
	f.Add([]byte(`{"device_code":"dc","user_code":"A","verification_uri":"https://gate.example.com/device","interval":-1,"expires_in":1e300}`))
	f.Add([]byte(`{"error":"slow_down","error_description":"\u202e"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		c := client(nil)
		if pair, err := c.readPair(body, secret.Text{}); err == nil && (!credential.Printable(pair.Access) || pair.Expires.IsZero()) {
			t.Error("a pair without a token or an end")
		}
		if code, err := c.readDeviceCode(body); err == nil && (!within(here, code.URL) || code.interval <= 0 || code.interval > maxInterval || code.Expires.After(time.Now().Add(2*maxDeviceLife))) {
			t.Errorf("an odd device code %+v", code)
		}
		if msg := c.refusal(answer{status: 400, body: body}).Error(); strings.ContainsAny(msg, "\n\x1b\u202e") {
			t.Errorf("the message could steer a terminal: %q", msg)
		}
	})
}
