package privateproxy_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/client"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/privateproxy"
)

// source gives real-1, real-2 and so on, or fails.
type source struct {
	n   atomic.Int64
	err error
}

func (s *source) Token(context.Context) (client.Token, error) {
	if s.err != nil {
		return client.Token{}, s.err
	}
	return client.NewToken(fmt.Sprintf("real-%d", s.n.Add(1)), time.Now().Add(time.Hour)), nil
}

func start(t *testing.T, s *source, handler http.HandlerFunc) *privateproxy.Proxy {
	t.Helper()
	t.Parallel()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	p, err := privateproxy.Listen(server.URL, s, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// raw sends a request as it stands, with HOST and TOKEN filled in, and returns the
// answer's status.
func raw(t *testing.T, p *privateproxy.Proxy, text string) int {
	t.Helper()
	host := strings.TrimPrefix(p.URL(), "http://")
	conn, err := net.Dial("tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	text = strings.NewReplacer("HOST", host, "TOKEN", p.Token().Reveal(), "\n", "\r\n").Replace(text)
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	for name := range answer.Header {
		if strings.HasPrefix(name, "Access-Control-") {
			t.Errorf("the answer has %s", name)
		}
	}
	b, err := io.ReadAll(answer.Body)
	if err != nil || strings.Contains(string(b), "real-") || strings.Contains(string(b), p.Token().Reveal()) {
		t.Errorf("%v, %s", err, b)
	}
	return answer.StatusCode
}

func TestWhoGetsIn(t *testing.T) {
	var served atomic.Int64
	p := start(t, &source{}, func(_ http.ResponseWriter, r *http.Request) {
		served.Add(1)
		if r.Header.Get("Authorization") != "Bearer real-1" || r.Header.Get("X-Api-Key") != "" || r.Header.Get("Upgrade") != "" || r.Header.Get("Cookie") != "" {
			t.Errorf("the server got %v", r.Header)
		}
	})
	for text, want := range map[string]int{
		"GET /v1/models HTTP/1.1\nHost: HOST\nAuthorization: Bearer TOKEN\n\n":                                                                 200,
		"GET /v1/models HTTP/1.1\nHost: HOST\nauthorization: bearer TOKEN\nCookie: a=b\n\n":                                                    200,
		"GET /v1/models HTTP/1.1\nHost: HOST\nX-Api-Key: TOKEN\n\n":                                                                            200,
		"GET /v1/models HTTP/1.1\nHost: HOST\nX-Api-Key: TOKEN\nAuthorization: Bearer TOKEN\n\n":                                               200,
		"GET /a HTTP/1.1\nHost: HOST\nX-Api-Key: TOKEN\nConnection: Upgrade\nUpgrade: websocket\n\n":                                           200,
		"GET /a HTTP/1.1\nHost: HOST\nX-Api-Key: TOKEN\nSec-Fetch-Mode: cors\n\n":                                                              200,
		"GET /v1/models HTTP/1.1\nHost: HOST\n\n":                                                                                              401,
		"GET /v1/models HTTP/1.1\nHost: HOST\nAuthorization: Bearer \n\n":                                                                      401,
		"GET /v1/models HTTP/1.1\nHost: HOST\nAuthorization: Bearer TOKENx\n\n":                                                                401,
		"GET /v1/models HTTP/1.1\nHost: HOST\nAuthorization: Basic TOKEN\n\n":                                                                  401,
		"GET /v1/models HTTP/1.1\nHost: HOST\nX-Api-Key: TOKEN\nAuthorization: Bearer real-1\n\n":                                              401,
		"GET /v1/models HTTP/1.1\nHost: HOST\nAuthorization: Bearer TOKEN\nAuthorization: Bearer TOKEN\n\n":                                    401,
		"OPTIONS /v1/messages HTTP/1.1\nHost: HOST\n\n":                                                                                        401,
		"GET /v1/models?key=TOKEN HTTP/1.1\nHost: HOST\n\n":                                                                                    401,
		"GET /v1/models HTTP/1.1\nHost: evil.example.com\nAuthorization: Bearer TOKEN\n\n":                                                     421,
		"GET /v1/models HTTP/1.1\nHost: localhost:80\nAuthorization: Bearer TOKEN\n\n":                                                         421,
		"GET /v1/models HTTP/1.1\nHost: \nAuthorization: Bearer TOKEN\n\n":                                                                     421,
		"GET http://evil.example.com/ HTTP/1.1\nHost: HOST\nAuthorization: Bearer TOKEN\n\n":                                                   421,
		"GET http://HOST/ HTTP/1.1\nHost: HOST\nAuthorization: Bearer TOKEN\n\n":                                                               400,
		"CONNECT HOST HTTP/1.1\nHost: HOST\nAuthorization: Bearer TOKEN\n\n":                                                                   400,
		"GET /v1/models HTTP/1.1\nHost: HOST\nAuthorization: Bearer TOKEN\nOrigin: https://evil.example.com\n\n":                               403,
		"GET /v1/models HTTP/1.1\nHost: HOST\nAuthorization: Bearer TOKEN\nOrigin: null\n\n":                                                   403,
		"GET /v1/models HTTP/1.1\nHost: HOST\nAuthorization: Bearer TOKEN\nSec-Fetch-Site: cross-site\n\n":                                     403,
		"GET /v1/models HTTP/1.1\nHost: HOST\nAuthorization: Bearer TOKEN\nX: " + strings.Repeat("x", 80<<10) + "\n\n":                         431,
		"POST /a HTTP/1.1\nHost: HOST\nAuthorization: Bearer TOKEN\nContent-Length: 1\nTransfer-Encoding: chunked\nConnection: close\n\n0\n\n": 200,
	} {
		if got := raw(t, p, text); got != want {
			t.Errorf("%q: %d, want %d", text[:min(len(text), 120)], got, want)
		}
	}
	if served.Load() != 7 {
		t.Errorf("the server saw %d requests", served.Load())
	}
}

func post(t *testing.T, p *privateproxy.Proxy, path string, body io.Reader) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.URL()+path, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+p.Token().Reveal())
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = answer.Body.Close() })
	return answer
}

// What the server has sent is there before it sends more, and the request is the
// one that was made.
func TestStreamsAsItComes(t *testing.T) {
	next := make(chan struct{})
	p := start(t, &source{}, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		if r.RequestURI != "/v1/a%2Fb?x=1;y=%zz&beta=true" || string(b) != `{"a": 1}` {
			t.Errorf("the server got %s %s", r.RequestURI, b)
		}
		for i := range 3 {
			fmt.Fprintf(w, "event: %d\n\n", i)
			w.(http.Flusher).Flush()
			<-next
		}
	})
	answer := post(t, p, "/v1/a%2Fb?x=1;y=%zz&beta=true", strings.NewReader(`{"a": 1}`))
	lines := bufio.NewReader(answer.Body)
	for i := range 3 {
		line, err := lines.ReadString('\n')
		if err != nil || line != fmt.Sprintf("event: %d\n", i) {
			t.Fatalf("%q, %v", line, err)
		}
		_, _ = lines.ReadString('\n')
		next <- struct{}{}
	}
}

// A token that the server does not take any more is replaced, and the program
// hears nothing of it.
func TestARefusedTokenIsReplaced(t *testing.T) {
	s := &source{}
	p := start(t, s, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		if r.Header.Get("Authorization") == "Bearer real-1" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprintf(w, "%d", len(b))
	})
	const size = 1 << 20
	answer := post(t, p, "/v1/messages", strings.NewReader(strings.Repeat("x", size)))
	if b, _ := io.ReadAll(answer.Body); answer.StatusCode != http.StatusOK || string(b) != fmt.Sprint(size) || s.n.Load() != 2 {
		t.Errorf("%d, %s, %d tokens", answer.StatusCode, b, s.n.Load())
	}
}

// A body without a length is sent once, and a 401 is then the program's.
func TestABodyWithoutLengthIsSentOnce(t *testing.T) {
	p := start(t, &source{}, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusUnauthorized)
	})
	if answer := post(t, p, "/v1/messages", io.MultiReader(strings.NewReader("x"))); answer.StatusCode != http.StatusUnauthorized {
		t.Errorf("%d", answer.StatusCode)
	}
}

// A redirect is the program's to see: it is not followed with the member's token.
func TestRedirectsAreNotFollowed(t *testing.T) {
	p := start(t, &source{}, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://evil.example.com/", http.StatusTemporaryRedirect)
	})
	if got := raw(t, p, "GET / HTTP/1.1\nHost: HOST\nX-Api-Key: TOKEN\n\n"); got != http.StatusTemporaryRedirect {
		t.Errorf("%d", got)
	}
}

func TestWhatIsWrongIsSaid(t *testing.T) {
	for _, tt := range []struct {
		err    error
		status int
		says   string
	}{
		{fault.New(fault.Unauthenticated, "the sign-in has ended").WithHint("gatehouse login"), 401, "the sign-in has ended; run: gatehouse login"},
		{fault.New(fault.Unavailable, "the agent is locked").WithHint("gatehouse agent unlock"), 503, "the agent is locked; run: gatehouse agent unlock"},
		{io.ErrUnexpectedEOF, 503, "the server cannot be reached"},
	} {
		t.Run(tt.says, func(t *testing.T) {
			p := start(t, &source{err: tt.err}, func(http.ResponseWriter, *http.Request) { t.Error("the server was asked") })
			answer := post(t, p, "/v1/messages", strings.NewReader("{}"))
			if b, _ := io.ReadAll(answer.Body); answer.StatusCode != tt.status || !strings.Contains(string(b), tt.says) {
				t.Errorf("%d, %s", answer.StatusCode, b)
			}
		})
	}
}

func TestOnlySafeServers(t *testing.T) {
	for _, origin := range []string{"", "http://gate.example.com", "https://a:b@gate.example.com", "ftp://x"} {
		if p, err := privateproxy.Listen(origin, &source{}, nil); err == nil {
			_ = p.Close()
			t.Errorf("%q was taken", origin)
		}
	}
}
