package login

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"sync"
	"syscall"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

const maxRoots = 4 << 20

// Trust is what is trusted beside the roots of the system. Proxies are those that
// the usual variables name, in every case.
type Trust struct {
	// CAFile holds more roots, in PEM. A request fails with Invalid if it cannot be
	// read or holds none.
	CAFile string
	// Extra are such files of the environment. What cannot be read of them is
	// passed over, as the programs do that they are meant for.
	Extra []string
}

// Transport returns a way to servers. Nothing is read before the first request.
func (t Trust) Transport() http.RoundTripper {
	return &trusting{make: sync.OnceValues(t.transport)}
}

// trusting makes its transport when it is needed: most commands need none.
type trusting struct {
	make func() (*http.Transport, error)
}

func (t *trusting) RoundTrip(req *http.Request) (*http.Response, error) {
	transport, err := t.make()
	if err != nil {
		return nil, err
	}
	return transport.RoundTrip(req)
}

func (t Trust) transport() (*http.Transport, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.OnProxyConnectResponse = refusedByProxy
	pool, err := t.pool()
	if err != nil {
		return nil, err
	}
	if pool != nil {
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	return transport, nil
}

// pool is the system's roots and more; nil if there are no more.
func (t Trust) pool() (*x509.CertPool, error) {
	var more []*x509.Certificate
	for _, path := range t.Extra {
		if roots, err := readRoots(path); err == nil {
			more = append(more, roots...)
		}
	}
	if t.CAFile != "" {
		roots, err := readRoots(t.CAFile)
		if err != nil {
			return nil, err
		}
		more = append(more, roots...)
	}
	if len(more) == 0 {
		return nil, nil
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	for _, c := range more {
		pool.AddCert(c)
	}
	return pool, nil
}

// CheckRoots fails with Invalid if a file cannot be read or holds no certificate.
func CheckRoots(path string) error {
	_, err := readRoots(path)
	return err
}

func readRoots(path string) ([]*x509.Certificate, error) {
	bad := func(why error) error {
		return fault.New(fault.Invalid, "%s holds no certificates that can be trusted: %w", path, why).WithHint("gatehouse login --ca-file /path/of/root.pem")
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe does not hold us
	if err != nil {
		return nil, bad(unwrapPath(err))
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxRoots+1))
	if err != nil || len(b) > maxRoots {
		return nil, bad(fmt.Errorf("it cannot be read"))
	}
	var roots []*x509.Certificate
	for len(bytes.TrimSpace(b)) > 0 {
		var block *pem.Block
		if block, b = pem.Decode(b); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		if c, err := x509.ParseCertificate(block.Bytes); err == nil {
			roots = append(roots, c)
		}
	}
	if len(roots) == 0 {
		return nil, bad(fmt.Errorf("there is none in PEM"))
	}
	return roots, nil
}

func unwrapPath(err error) error {
	if e, ok := err.(*os.PathError); ok {
		return e.Err
	}
	return err
}

// refusedByProxy says why a proxy makes no way to a server.
func refusedByProxy(_ context.Context, proxy *url.URL, _ *http.Request, answer *http.Response) error {
	switch answer.StatusCode {
	case http.StatusOK:
		return nil
	case http.StatusProxyAuthRequired:
		return fault.New(fault.Unavailable, "the proxy at %s wants a user and a password first (407)", proxy.Host).
			WithHint("export HTTPS_PROXY=http://USER:PASSWORD@" + proxy.Host)
	}
	return fault.New(fault.Unavailable, "the proxy at %s lets nobody through to this server (%d)", proxy.Host, answer.StatusCode)
}
