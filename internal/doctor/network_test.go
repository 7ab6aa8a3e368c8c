package doctor_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/checkup"
	"github.com/gatehouse-dev/gatehouse/internal/doctor"
	"github.com/gatehouse-dev/gatehouse/internal/login"
)

// gateway is a server over TLS, whose certificate a root of that name made.
func gateway(t *testing.T, root string, from, until time.Time) (address string, trusted *x509.CertPool) {
	t.Helper()
	caKey, key := newKey(t), newKey(t)
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: root, Organization: []string{root}}, NotBefore: from.Add(-time.Hour), NotAfter: until.Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "gate"}, NotBefore: from, NotAfter: until, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, leaf, ca, &key.PublicKey, caKey)
	if err != nil {
		t.Fatal(err)
	}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, &caKey.PublicKey, caKey)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(caDER)
	if err != nil {
		t.Fatal(err)
	}
	trusted = x509.NewCertPool()
	trusted.AddCert(parsed)
	var s *httptest.Server
	s = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"issuer": s.URL, "token_endpoint": s.URL + "/oauth/token", "gateway_protocol_version": 1})
	}))
	s.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der, caDER}, PrivateKey: key}}}
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL, trusted
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// Who opens the traffic is named, whether this program trusts them or not.
func TestInspectors(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for name, tt := range map[string]struct {
		root        string
		until       time.Time
		trust       bool
		extra       string
		check, code string
		says        string
	}{
		"trusted":               {"Good Root", now.AddDate(1, 0, 0), true, "", doctor.Certificate, "", "Issued by"},
		"unknown":               {"Some Root", now.AddDate(1, 0, 0), false, "", checkup.Server, checkup.Untrusted, "Some Root"},
		"inspector":             {"Zscaler Root CA", now.AddDate(1, 0, 0), false, "", checkup.Server, checkup.Untrusted, "made by Zscaler"},
		"trusted inspector":     {"Zscaler Root CA", now.AddDate(1, 0, 0), true, "", doctor.Certificate, "inspected", "Zscaler inspects"},
		"inspector, Node knows": {"Zscaler Root CA", now.AddDate(1, 0, 0), true, "/ca.pem", doctor.Certificate, "", "Zscaler inspects"},
		"ended":                 {"Good Root", now.Add(-time.Minute), true, "", checkup.Server, checkup.Untrusted, "has ended"},
		"ends soon":             {"Good Root", now.AddDate(0, 0, 3), true, "", doctor.Certificate, "ending", "ends in"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address, trusted := gateway(t, tt.root, now.Add(-2*time.Hour), tt.until)
			p := machine(t, "linux", nil)
			p.Address, p.Now = address, time.Now
			pool := trusted
			if !tt.trust {
				pool = x509.NewCertPool()
			}
			p.Client = &login.Client{Now: time.Now, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
			p.Getenv = func(name string) string {
				if name == "NODE_EXTRA_CA_CERTS" {
					return tt.extra
				}
				return ""
			}
			found := examine(t, p)
			if f := found[tt.check]; f.Code != tt.code || !strings.Contains(f.Says, tt.says) {
				t.Errorf("%+v", f)
			}
			if (found[doctor.Certificate].State == doctor.Skip) != (found[checkup.Server].State == checkup.Fail) {
				t.Errorf("%+v", found[doctor.Certificate])
			}
		})
	}
}

// dial knows no names but those of this machine, whatever the network.
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	if host, _, _ := net.SplitHostPort(address); net.ParseIP(host) == nil {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return (&net.Dialer{}).DialContext(ctx, network, address)
}

// Where it fails on the way to the server is said.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	for address, says := range map[string]string{
		"http://127.0.0.1:1":             "connection refused",
		"https://no-such-host.invalid":   "no name server here knows",
		"https://ada:canary@example.com": "is not a server address",
		"":                               "No server is named",
	} {
		p := machine(t, "linux", nil)
		p.Address = address
		p.Client = &login.Client{Now: time.Now, Transport: &http.Transport{DialContext: dial}}
		if f := examine(t, p)[checkup.Server]; f.State != checkup.Fail || !strings.Contains(f.Says, says) {
			t.Errorf("%s: %+v", address, f)
		}
	}
}
