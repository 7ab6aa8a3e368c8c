package smtpd

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

// Options say how the server is.
type Options struct {
	Implicit bool   // TLS from the first byte
	NoTLS    bool   // no STARTTLS
	Username string // asked for, if it is not empty
	Password string
	Insecure bool // offers AUTH in clear, as a bad server does
}

// Server is a running mail server.
type Server struct {
	Addr  string
	Port  int
	Roots *x509.CertPool // who vouches for its certificate

	options Options
	config  *tls.Config
	mu      sync.Mutex
	running *smtp.Server
	taken   []Message
	faults  []Fault
	clear   bytes.Buffer
	conns   int
	arrived chan struct{}
}

// Start serves on a free port of loopback until the test ends.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	cert, roots := certificate(t)
	s := &Server{options: o, Roots: roots, config: &tls.Config{Certificates: []tls.Certificate{cert}}, arrived: make(chan struct{}, 100_000)}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.Addr = l.Addr().String()
	_, port, _ := net.SplitHostPort(s.Addr)
	s.Port, _ = strconv.Atoi(port)
	s.serve(l)
	t.Cleanup(s.Stop)
	return s
}

// Stop refuses connections and ends those that are open. What was taken is kept.
func (s *Server) Stop() {
	s.mu.Lock()
	running := s.running
	s.running = nil
	s.mu.Unlock()
	if running != nil {
		_ = running.Close()
	}
}

// Resume serves again after Stop, at the same address.
func (s *Server) Resume(t testing.TB) {
	t.Helper()
	l, err := net.Listen("tcp", s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	s.serve(l)
}

func (s *Server) serve(l net.Listener) {
	server := smtp.NewServer(smtp.BackendFunc(s.session))
	server.Domain, server.AllowInsecureAuth = "localhost", s.options.Insecure
	server.ReadTimeout, server.WriteTimeout = 10*time.Second, 10*time.Second
	server.ErrorLog = log.New(io.Discard, "", 0)
	server.EnableSMTPUTF8 = true
	if !s.options.NoTLS && !s.options.Implicit {
		server.TLSConfig = s.config
	}
	l = listener{l, s}
	if s.options.Implicit {
		l = tls.NewListener(l, s.config)
	}
	s.mu.Lock()
	s.running = server
	s.mu.Unlock()
	go func() { _ = server.Serve(l) }()
}

// listener hears what is said in clear.
type listener struct {
	net.Listener
	server *Server
}

func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.server.mu.Lock()
	l.server.conns++
	l.server.mu.Unlock()
	return heard{c, l.server}, nil
}

type heard struct {
	net.Conn
	server *Server
}

func (h heard) Read(p []byte) (int, error) {
	n, err := h.Conn.Read(p)
	h.server.mu.Lock()
	h.server.clear.Write(p[:n])
	h.server.mu.Unlock()
	return n, err
}

// Wire is every byte that clients sent, as whoever listens on the wire has it.
func (s *Server) Wire() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.clear.String()
}

// Connections is how many were taken up.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conns
}

// Messages returns what was taken, in order.
func (s *Server) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Message(nil), s.taken...)
}

// Wait waits until n messages more were taken, for a generous time.
func (s *Server) Wait(t testing.TB, n int) {
	t.Helper()
	late := time.After(30 * time.Second)
	for i := range n {
		select {
		case <-s.arrived:
		case <-late:
			t.Fatalf("%d of %d messages arrived", i, n)
		}
	}
}

// Fault is something that goes wrong once, at the next occasion.
type Fault struct {
	At   string // "connect", "mail", "rcpt", "data" (after the content), "drop" (in the middle of it), "lost" (taken, and the answer lost)
	Code int
	Text string
}

// Fail adds faults, which happen in order, each once.
func (s *Server) Fail(f ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, f...)
}

// fault takes the next fault if it belongs to one of these occasions.
func (s *Server) fault(at ...string) (Fault, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range at {
		if len(s.faults) > 0 && s.faults[0].At == a {
			f := s.faults[0]
			s.faults = s.faults[1:]
			return f, true
		}
	}
	return Fault{}, false
}

func (f Fault) err() error {
	return &smtp.SMTPError{Code: f.Code, EnhancedCode: smtp.NoEnhancedCode, Message: f.Text}
}
