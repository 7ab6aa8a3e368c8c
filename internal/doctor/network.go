package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/checkup"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/inspector"
	"github.com/gatehouse-dev/gatehouse/internal/login"
)

const (
	greetPatience = 10 * time.Second
	clockWrong    = 5 * time.Minute
	clockDrifting = 30 * time.Second
	endingSoon    = 14 * 24 * time.Hour
)

var proxyNames = []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"}

func (e *Examination) proxy(context.Context) Finding {
	var set, bad []string
	for _, name := range proxyNames {
		value := e.Getenv(name)
		if value == "" {
			continue
		}
		set = append(set, name)
		if !strings.Contains(value, "://") {
			value = "http://" + value
		}
		if u, err := url.Parse(value); err != nil || u.Hostname() == "" {
			bad = append(bad, name)
		}
	}
	host := ""
	if origin, err := login.ParseServer(e.Address); err == nil {
		if u, err := url.Parse(origin); err == nil {
			host = u.Hostname()
		}
	}
	local := slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, host)
	switch {
	case len(bad) > 0:
		return fail(checkup.NoAddress, e.mend["unset"]+bad[0], "%s holds no address of a proxy", strings.Join(bad, ", ")).about(bad...)
	case len(set) > 0 && local && e.Getenv("NO_PROXY") == "" && e.Getenv("no_proxy") == "":
		return warn(checkup.InTheWay, "export NO_PROXY="+host, "%s is set, and programs may look there for this machine itself", strings.Join(set, ", ")).about(set...)
	case len(set) > 0:
		return ok("requests go through a proxy (%s)", strings.Join(set, ", "))
	}
	return ok("no proxy is set")
}

const nameServer = "gatehouse doctor --server https://gate.example.com"

func (e *Examination) server(ctx context.Context) Finding {
	if e.Address == "" {
		return fail(checkup.Unnamed, nameServer, "no server is named")
	}
	if origin, err := login.ParseServer(e.Address); err == nil {
		e.Server = origin
	}
	ctx, cancel := context.WithTimeout(ctx, greetPatience)
	defer cancel()
	g, err := e.Client.Greet(ctx, e.Address)
	e.greeted = g
	if err == nil {
		if g.Protocol > 1 {
			return warn("newer", "gatehouse version", "the server answers at %s, and speaks a newer protocol (%d) than this gatehouse (1)", e.Server, g.Protocol)
		}
		return ok("the server answers at %s", e.Server)
	}
	again := "gatehouse doctor --server " + e.Server
	switch {
	case e.Server == "":
		return fail(checkup.Unnamed, nameServer, "%s", message(err)).foreign()
	case fault.Is(err, fault.Invalid):
		return fail(checkup.NotGatehouse, nameServer, "%s", message(err)).foreign()
	case strings.Contains(message(err), " answered "):
		return fail(checkup.Unavailable, again, "%s", message(err))
	}
	return e.unreachable(err, again)
}

// unreachable finds out on which step towards the server it failed.
func (e *Examination) unreachable(err error, again string) Finding {
	at, _ := url.Parse(e.Server) // it was parsed before
	if bad, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return e.untrusted(bad, at)
	}
	if unknown, ok := errors.AsType[*net.DNSError](err); ok && unknown.IsNotFound {
		return fail(checkup.Unreachable, e.mend["lookup"]+at.Hostname(), "cannot reach %s: no name server here knows %s; a VPN may be needed", e.Server, at.Hostname())
	}
	if strings.Contains(message(err), "proxyconnect") || strings.Contains(message(err), "socks connect") {
		return fail(checkup.Unreachable, again, "cannot reach %s: the proxy does not let through, or does not answer", e.Server)
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return fail(checkup.Unreachable, again, "cannot reach %s: connection refused, nothing listens there", e.Server)
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return fail(checkup.Unreachable, again, "cannot reach %s: no answer; a firewall or a missing VPN does that", e.Server)
	}
	return fail(checkup.Unreachable, again, "%s", message(err)).foreign()
}

func (e *Examination) untrusted(bad *tls.CertificateVerificationError, at *url.URL) Finding {
	show := "openssl s_client -connect " + hostPort(at) + " -showcerts"
	chain := bad.UnverifiedCertificates
	if name := inspector.Name(chain); name != "" {
		return fail(checkup.Untrusted, show, "the certificate of %s was made by %s, which inspects the traffic, and this machine does not trust it; ask for its root certificate, and put its path into NODE_EXTRA_CA_CERTS too", e.Server, name).about("NODE_EXTRA_CA_CERTS")
	}
	if expired, ok := errors.AsType[x509.CertificateInvalidError](bad.Err); ok && expired.Reason == x509.Expired {
		return fail(checkup.Untrusted, show, "the certificate of %s has ended or has not begun, or this machine's clock is wrong", e.Server)
	}
	if _, ok := errors.AsType[x509.HostnameError](bad.Err); ok {
		return fail(checkup.Untrusted, show, "the certificate is of another server than %s", e.Server)
	}
	if len(chain) > 0 {
		return fail(checkup.Untrusted, show, "the certificate of %s is not trusted here: it was issued by %q", e.Server, checkup.Text(inspector.Issuer(chain))).foreign()
	}
	return fail(checkup.Untrusted, show, "%s is not trusted here", e.Server)
}

func hostPort(u *url.URL) string {
	if u.Port() == "" {
		return u.Host + ":443"
	}
	return u.Host
}

func (e *Examination) clock(context.Context) Finding {
	off, way := e.greeted.Ahead.Abs(), "ahead of"
	if e.greeted.Ahead < 0 {
		way = "behind"
	}
	switch {
	case off > clockWrong:
		return fail(checkup.Wrong, e.mend["clock"], "this machine's clock is %s %s the server's, so sign-ins fail", off, way)
	case off > clockDrifting:
		return warn(checkup.Drifting, e.mend["clock"], "this machine's clock is %s %s the server's", off, way)
	}
	return ok("this machine and the server agree on the time")
}

// certificate looks at a chain that this machine trusts: Claude Code may trust
// other roots.
func (e *Examination) certificate(context.Context) Finding {
	chain := e.greeted.Chain
	if len(chain) == 0 {
		return ok("the server is on this machine, without a certificate")
	}
	at, _ := url.Parse(e.Server) // it was parsed before
	if name := inspector.Name(chain); name != "" && e.Getenv("NODE_EXTRA_CA_CERTS") == "" {
		return warn("inspected", "export NODE_EXTRA_CA_CERTS=/path/to/root.pem", "%s inspects the traffic to %s; this program trusts it, and Node programs may not", name, e.Server).about("NODE_EXTRA_CA_CERTS")
	} else if name != "" {
		return ok("%s inspects the traffic, and NODE_EXTRA_CA_CERTS names its root", name)
	}
	if left := chain[0].NotAfter.Sub(e.Now()); left < endingSoon {
		return warn("ending", "openssl s_client -connect "+hostPort(at), "the certificate of %s ends in %d days", e.Server, int(left.Hours()/24))
	}
	return ok("issued by %s", checkup.Text(inspector.Issuer(chain))).foreign()
}
