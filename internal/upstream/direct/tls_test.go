package direct

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
)

// corked is a connection whose writes are held back until it is let go.
type corked struct {
	net.Conn
	held bytes.Buffer
}

func (c *corked) Write(p []byte) (int, error) { return c.held.Write(p) }

// letGo sends all that is held back but for the last keep bytes, in one packet.
func (c *corked) letGo(keep int) {
	c.Conn.Write(c.held.Next(c.held.Len() - keep))
}

// secured makes an origin of listen speak TLS, and a pool for it. serve writes
// what tls.Conn takes, in records as large as there are.
func secured(t *testing.T, version uint16, serve func(n int, c *tls.Conn, raw *corked, in *bufio.Reader)) (*origin, *Pool) {
	t.Helper()
	known := httptest.NewTLSServer(nil)
	t.Cleanup(known.Close)
	config := &tls.Config{Certificates: known.TLS.Certificates, DynamicRecordSizingDisabled: true, MinVersion: version, MaxVersion: version}
	roots := x509.NewCertPool()
	roots.AddCert(known.Certificate())
	o, p := listen(t, func(n int, c net.Conn, _ *bufio.Reader) {
		raw := &corked{Conn: c}
		s := tls.Server(flushing{raw}, config)
		if s.Handshake() == nil {
			serve(n, s, raw, bufio.NewReader(s))
		}
	})
	p.cfg.TLS = &tls.Config{RootCAs: roots, ServerName: "example.com", ClientSessionCache: tls.NewLRUClientSessionCache(8)}
	return o, p
}

// flushing sends what is held back before it waits for the other side.
type flushing struct{ *corked }

func (f flushing) Read(p []byte) (int, error) {
	f.letGo(0)
	return f.Conn.Read(p)
}

var versions = map[string]uint16{"TLS 1.2": tls.VersionTLS12, "TLS 1.3": tls.VersionTLS13}

// askLarge reads as a relay does: in pieces larger than the connection's buffer.
func askLarge(t *testing.T, p *Pool, body string) string {
	t.Helper()
	response, err := p.Send(t.Context(), &Request{Target: "/", Body: []byte(body)})
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var all strings.Builder
	for piece := make([]byte, 8<<10); ; {
		n, err := response.Body.Read(piece)
		all.Write(piece[:n])
		if err == io.EOF {
			return all.String()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestReuseOverTLS(t *testing.T) {
	t.Parallel()
	for name, version := range versions {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, p := secured(t, version, func(n int, c *tls.Conn, _ *corked, in *bufio.Reader) { echo(n, c, in) })
			for _, size := range []int{0, 10, 12_000, 1 << 20, 10} {
				body := strings.Repeat("x", size)
				if got := askLarge(t, p, body); got != body {
					t.Fatalf("got %.100q", got)
				}
			}
			if o.count() != 1 {
				t.Errorf("%d connections were made", o.count())
			}
		})
	}
}

// TestUninvitedOverTLS has the origin say more than it was asked for, where it
// is seen neither on the socket nor in the connection's buffer: decrypted behind
// the answer, in a record that has arrived and was not opened, or in one that
// has arrived in part.
func TestUninvitedOverTLS(t *testing.T) {
	t.Parallel()
	first := strings.Repeat("x", 12_000)
	for what, write := range map[string]func(c *tls.Conn, raw *corked, in *bufio.Reader){
		"in the same record": func(c *tls.Conn, raw *corked, _ *bufio.Reader) {
			io.WriteString(c, answer(first)+answer("stolen"))
			raw.letGo(0)
		},
		"no answer": func(c *tls.Conn, raw *corked, _ *bufio.Reader) {
			io.WriteString(c, answer(first)+"x\r\n\r\n")
			raw.letGo(0)
		},
		"in a record of its own": func(c *tls.Conn, raw *corked, _ *bufio.Reader) {
			io.WriteString(c, answer(first))
			io.WriteString(c, answer("stolen"))
			raw.letGo(0)
		},
		"in part of a record": func(c *tls.Conn, raw *corked, _ *bufio.Reader) {
			io.WriteString(c, answer(first))
			io.WriteString(c, answer("stolen"))
			raw.letGo(8)
			raw.Conn.Read(make([]byte, 1)) // the next request, or the end
			raw.letGo(0)
		},
	} {
		for name, version := range versions {
			t.Run(what+", "+name, func(t *testing.T) {
				t.Parallel()
				o, p := secured(t, version, func(n int, c *tls.Conn, raw *corked, in *bufio.Reader) {
					if n > 1 {
						echo(n, c, in)
						return
					}
					take(in)
					write(c, raw, in)
					io.Copy(io.Discard, raw.Conn)
				})
				if got := askLarge(t, p, "a"); got != first {
					t.Fatalf("got %.100q", got)
				}
				if got := askLarge(t, p, "mine"); got != "mine" {
					t.Errorf("got %.100q, which answers nothing that was asked", got)
				}
				if o.count() != 2 {
					t.Errorf("%d connections were made", o.count())
				}
			})
		}
	}
}
