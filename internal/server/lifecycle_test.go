package server_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/server"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/nodes"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/upstream"
)

// TestDrainLetsStreamsFinish ends a server while a stream runs on it.
func TestDrainLetsStreamsFinish(t *testing.T) {
	t.Parallel()
	up := upstream.New(t)
	step := make(chan struct{})
	up.Always(upstream.Plan{Words: 20, Step: step})
	w := nodes.Start(t, nodes.Options{UpstreamURL: up.URL, Change: func(c *server.Config) { c.Drain = time.Minute }})
	stream := openStream(t, w.URL, w.Sample.APIKey.Reveal())
	stopped := make(chan struct{})
	go func() { w.Stop(); close(stopped) }()
	waitFor(t, "new connections to be refused", func() bool {
		c, err := net.Dial("tcp", strings.TrimPrefix(w.URL, "http://"))
		if err == nil {
			c.Close()
		}
		return err != nil
	})
	close(step)
	if rest := stream.rest(t); !strings.Contains(rest, "message_stop") || strings.Contains(rest, "event: error") {
		t.Errorf("the stream ends with %q", rest)
	}
	<-stopped
}

// TestDrainEndsWhatDoesNotFinish does the same with a stream that never ends.
func TestDrainEndsWhatDoesNotFinish(t *testing.T) {
	t.Parallel()
	up := upstream.New(t)
	up.Always(upstream.Plan{Words: 20, Step: make(chan struct{})})
	w := nodes.Start(t, nodes.Options{UpstreamURL: up.URL, Change: func(c *server.Config) { c.Drain = 50 * time.Millisecond }})
	stream := openStream(t, w.URL, w.Sample.APIKey.Reveal())
	w.Stop()
	if rest := stream.rest(t); !strings.Contains(rest, "event: error") || !strings.Contains(rest, "shutting down") {
		t.Errorf("the stream ends with %q", rest)
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	get := func(url, token string) (int, string) {
		r, err := http.NewRequest(http.MethodGet, url+"/metrics", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		got, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer got.Body.Close()
		raw, _ := io.ReadAll(got.Body)
		return got.StatusCode, string(raw)
	}
	w := nodes.Start(t, nodes.Options{})
	signInDevice(t, w)
	ask(t, w.URL, w.Sample.APIKey.Reveal())
	_, text := get(w.URL, "")
	for _, line := range []string{`gatehouse_oauth_grants_total{grant_type="urn:ietf:params:oauth:grant-type:device_code",outcome="ok"} 1`,
		`gatehouse_requests_total{ending="complete",model="claude-sonnet-5",operation="messages",status="200",upstream="Simulated model"} 1`,
		"gatehouse_request_duration_seconds_count", "gatehouse_first_byte_seconds_count", "gatehouse_open_streams 0", "gatehouse_ledger_lag_seconds"} {
		if !strings.Contains(text, line) {
			t.Errorf("/metrics lacks %s", line)
		}
	}
	guarded := nodes.Start(t, nodes.Options{Change: func(c *server.Config) { c.MetricsOpen, c.MetricsToken = false, secret.New("metrics-token") }})
	for token, want := range map[string]int{"": 401, "x": 401, "metrics-token": 200} {
		if got, _ := get(guarded.URL, token); got != want {
			t.Errorf("/metrics with token %q: %d", token, got)
		}
	}
	closed := nodes.Start(t, nodes.Options{Change: func(c *server.Config) { c.MetricsOpen = false }})
	if got, text := get(closed.URL, ""); got == 200 || strings.Contains(text, "gatehouse_") {
		t.Errorf("/metrics of a server that was not told of any: %d", got)
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pool := certificate(t, dir)
	w := nodes.Start(t, nodes.Options{Change: func(c *server.Config) {
		c.TLSCert, c.TLSKey = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	}})
	if !strings.HasPrefix(w.URL, "https://127.0.0.1:") {
		t.Fatalf("the URL is %s", w.URL)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	r, err := http.NewRequest(http.MethodPost, w.URL+"/v1/messages", strings.NewReader(strings.Replace(hello, "{", `{"stream":true,`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("x-api-key", w.Sample.APIKey.Reveal())
	got, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	raw, _ := io.ReadAll(got.Body)
	if got.ProtoMajor != 2 || got.StatusCode != 200 || !strings.Contains(string(raw), "message_stop") {
		t.Errorf("over HTTP/2: %s %d %q", got.Proto, got.StatusCode, raw)
	}
	signIn, err := client.Post(w.URL+"/link/"+w.Sample.Member.Link.Reveal(), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	signIn.Body.Close()
	for _, c := range signIn.Cookies() {
		if !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || !strings.HasPrefix(c.Name, "__Host-") {
			t.Errorf("the cookie over https: %s", c)
		}
	}
	if len(signIn.Cookies()) == 0 {
		t.Error("no cookie was set")
	}
}

// certificate writes a self-signed certificate for this machine.
func certificate(t testing.TB, dir string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	for name, text := range map[string][]byte{"cert.pem": cert, "key.pem": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(cert)
	return pool
}

func TestAddressBehindProxies(t *testing.T) {
	t.Parallel()
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	for _, c := range []struct{ peer, forwarded, want string }{
		{"192.0.2.1:5", "", "192.0.2.1"},
		{"192.0.2.1:5", "198.51.100.7", "192.0.2.1"},            // a stranger says who it is
		{"10.0.0.1:5", "198.51.100.7", "198.51.100.7"},          // a proxy says it
		{"10.0.0.1:5", "6.6.6.6, 198.51.100.7", "198.51.100.7"}, // what the client claimed stands further left
		{"10.0.0.1:5", "198.51.100.7, 10.9.9.9", "198.51.100.7"},
		{"10.0.0.1:5", "nonsense, 10.9.9.9", "10.9.9.9"},
		{"10.0.0.1:5", "", "10.0.0.1"},
		{"[::1]:5", "2001:db8::7", "2001:db8::7"},
		{"[::ffff:10.0.0.1]:5", "198.51.100.7", "198.51.100.7"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = c.peer
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		if got := server.AddressOf(trusted)(r); got != c.want {
			t.Errorf("%s forwarding %q: %s, want %s", c.peer, c.forwarded, got, c.want)
		}
	}
}
