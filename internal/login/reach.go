package login

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/inspector"
)

// unreached says on which step towards a server a request failed. The cause
// stays inside.
func unreached(to *url.URL, err error) error {
	at := origin(to)
	if f, ok := errors.AsType[*fault.Error](err); ok {
		c := *f
		c.Message = "cannot reach " + at + ": " + f.Message
		return &c
	}
	if bad, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return untrusted(to, bad)
	}
	if unknown, ok := errors.AsType[*net.DNSError](err); ok && unknown.IsNotFound {
		return fault.Wrap(fault.Unavailable, err, "cannot reach "+at+": no name server here knows "+clean(unknown.Name)+"; a VPN may be needed")
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok || errors.Is(err, http.ErrSchemeMismatch) {
		return fault.Wrap(fault.Unavailable, err, "cannot reach "+at+": what answers there does not speak TLS")
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "proxyconnect" {
		return fault.New(fault.Unavailable, "cannot reach %s: the proxy that HTTPS_PROXY names does not answer: %w", at, err)
	}
	if slow, ok := errors.AsType[net.Error](err); ok && slow.Timeout() {
		return fault.Wrap(fault.Unavailable, err, "cannot reach "+at+": no answer in time; a firewall or a missing VPN does that")
	}
	return fault.New(fault.Unavailable, "cannot reach %s: %w", at, err)
}

// untrusted names who made a certificate that this machine does not trust.
func untrusted(to *url.URL, bad *tls.CertificateVerificationError) error {
	at, chain := origin(to), bad.UnverifiedCertificates
	say := func(message string) *fault.Error { return fault.Wrap(fault.Unavailable, bad, message) }
	trust := "gatehouse login --server " + at + " --ca-file /path/of/root.pem"
	if name := inspector.Name(chain); name != "" {
		return say("the certificate of " + at + " was made by " + name + " (" + by(chain) + "), which opens the traffic of this network, and this machine does not trust it; " +
			"get its root certificate from your IT, and name the file").WithHint(trust)
	}
	if expired, ok := errors.AsType[x509.CertificateInvalidError](bad.Err); ok && expired.Reason == x509.Expired {
		return say("the certificate of " + at + " has ended or has not begun, or this machine's clock is wrong").WithHint("gatehouse doctor --server " + at)
	}
	if _, ok := errors.AsType[x509.HostnameError](bad.Err); ok && len(chain) > 0 {
		return say("the certificate at " + at + " is of another server, " + clean(strings.Join(chain[0].DNSNames[:min(len(chain[0].DNSNames), 3)], ", ")) +
			"; a network that wants a sign-in of its own first does that").WithHint("gatehouse doctor --server " + at)
	}
	return say("the certificate of " + at + " was made by " + by(chain) + ", an authority that this machine does not trust; name the file with its root certificate").WithHint(trust)
}

// by is the issuer in quotes, as a stranger's word.
func by(chain []*x509.Certificate) string {
	name := clean(inspector.Issuer(chain))
	if name == "" {
		return "somebody without a name"
	}
	return `"` + strings.ReplaceAll(name, `"`, "'") + `"`
}

// stranger says what it is that answers in a server's place; nil if it may be one.
func stranger(at string, got answer) error {
	again := "gatehouse doctor --server " + at
	head := "what answers at " + at + " is not a Gatehouse server"
	switch {
	case got.status == http.StatusNetworkAuthenticationRequired:
		return fault.New(fault.Unavailable, "this network wants a sign-in of its own first (511): open any page in a browser, and sign in there").WithHint(again)
	case got.status >= 500, got.status == http.StatusTooManyRequests:
		return fault.New(fault.Unavailable, "%s answered %d", at, got.status)
	case got.status >= 300 && got.status < 400:
		where := "another place"
		if u, err := url.Parse(got.header.Get("Location")); err == nil && u.Host != "" {
			where = `"` + clean(u.Scheme+"://"+u.Host) + `"`
		}
		return fault.New(fault.Invalid, "%s, but sends us to %s, which is not followed: a network or a proxy that wants a sign-in of its own first does that, or a server that moved", head, where).WithHint(again)
	case isPage(got):
		return fault.New(fault.Invalid, "%s, but a web page (%d): a network or a proxy that wants a sign-in of its own first does that, or another site", head, got.status).WithHint(again)
	case got.status == http.StatusUnauthorized, got.status == http.StatusForbidden:
		return fault.New(fault.Invalid, "%s, but something that refuses (%d): a proxy in front of it may want a sign-in of its own", head, got.status).WithHint(again)
	case got.status != http.StatusOK:
		return fault.New(fault.Invalid, "%s", head)
	}
	return nil
}

// isPage reports whether an answer is HTML, whatever it calls itself.
func isPage(got answer) bool {
	if strings.HasPrefix(strings.ToLower(got.header.Get("Content-Type")), "text/html") {
		return true
	}
	begin := bytes.ToLower(bytes.TrimSpace(got.body[:min(len(got.body), 512)]))
	return bytes.HasPrefix(begin, []byte("<!doctype html")) || bytes.HasPrefix(begin, []byte("<html"))
}
