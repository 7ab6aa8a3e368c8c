package direct

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"sync"
	"time"
)

// Config says where the origin is. Zero durations and sizes take the defaults.
type Config struct {
	Address       string      // "host:port"
	Host          string      // the Host header
	TLS           *tls.Config // nil: plain TCP
	Dial          func(ctx context.Context, network, address string) (net.Conn, error)
	ConnectWithin time.Duration // for TCP and TLS together: 10 seconds
	HeaderWithin  time.Duration // to write a request and read the answer's header: 120 seconds
	BriefWithin   time.Duration // to read the body of an error, or of an answer that is brief: 15 seconds
	IdleFor       time.Duration // that an unused connection is kept: 55 seconds
	MaxIdle       int           // connections kept: 4,096
}

// Pool keeps connections to one origin. Use New; its methods may be called
// concurrently.
type Pool struct {
	cfg Config

	mu     sync.Mutex
	idle   []*conn // the one used last is at the end, and is used first
	sweep  *time.Timer
	closed bool
}

// New returns a Pool without connections.
func New(cfg Config) *Pool {
	if cfg.ConnectWithin == 0 {
		cfg.ConnectWithin = 10 * time.Second
	}
	if cfg.HeaderWithin == 0 {
		cfg.HeaderWithin = 120 * time.Second
	}
	if cfg.BriefWithin == 0 {
		cfg.BriefWithin = 15 * time.Second
	}
	if cfg.IdleFor == 0 {
		cfg.IdleFor = 55 * time.Second
	}
	if cfg.MaxIdle == 0 {
		cfg.MaxIdle = 4096
	}
	if cfg.Dial == nil {
		cfg.Dial = (&net.Dialer{KeepAlive: 30 * time.Second}).DialContext
	}
	return &Pool{cfg: cfg}
}

// conn is a connection, in use or at rest.
type conn struct {
	net.Conn
	tcp    net.Conn // below TLS, if there is any
	below  *records // tcp as TLS reads it; nil: there is no TLS
	input  *bufio.Reader
	budget int64     // bytes that may still be read for a header; <0: no limit
	used   bool      // it has carried a request before
	since  time.Time // at rest since
	probe  *probe
}

const readBuffer = 4 << 10

// cut ends the connection without a farewell, which over TLS may have to wait.
func (c *conn) cut() { c.tcp.Close() }

func newConn(c, tcp net.Conn, below *records) *conn {
	made := &conn{Conn: c, tcp: tcp, below: below, budget: -1, probe: newProbe(tcp)}
	made.input = bufio.NewReaderSize(budgeted{made}, readBuffer)
	return made
}

// budgeted bounds what a header may take.
type budgeted struct{ c *conn }

func (b budgeted) Read(into []byte) (int, error) {
	c := b.c
	if c.budget < 0 {
		return c.Conn.Read(into)
	}
	if c.budget == 0 {
		return 0, errLongHeader
	}
	if int64(len(into)) > c.budget {
		into = into[:c.budget]
	}
	n, err := c.Conn.Read(into)
	c.budget -= int64(n)
	return n, err
}

// get returns a connection at rest that is still good, or nil.
func (p *Pool) get() *conn {
	for {
		p.mu.Lock()
		n := len(p.idle)
		if n == 0 {
			p.mu.Unlock()
			return nil
		}
		c := p.idle[n-1]
		p.idle[n-1] = nil
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		if time.Since(c.since) < p.cfg.IdleFor && c.probe.quiet() {
			return c
		}
		c.cut()
	}
}

// put lays a connection to rest.
func (p *Pool) put(c *conn) {
	c.used, c.since = true, time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || len(p.idle) >= p.cfg.MaxIdle {
		c.cut()
		return
	}
	p.idle = append(p.idle, c)
	if p.sweep == nil {
		p.sweep = time.AfterFunc(p.cfg.IdleFor, p.expire)
	}
}

// expire closes what has been at rest for too long.
func (p *Pool) expire() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now, old := time.Now(), 0
	for old < len(p.idle) && now.Sub(p.idle[old].since) >= p.cfg.IdleFor {
		p.idle[old].cut()
		old++
	}
	p.idle = append(p.idle[:0], p.idle[old:]...)
	clear(p.idle[len(p.idle):cap(p.idle)])
	if p.sweep = nil; len(p.idle) > 0 && !p.closed {
		p.sweep = time.AfterFunc(max(p.cfg.IdleFor-now.Sub(p.idle[0].since), time.Second), p.expire)
	}
}

// Close closes the connections at rest; those in use are closed as their
// answers end.
func (p *Pool) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, c := range p.idle {
		c.cut()
	}
	p.idle = nil
	if p.sweep != nil {
		p.sweep.Stop()
	}
}

// connect makes a new connection.
func (p *Pool) connect(ctx context.Context) (*conn, error) {
	ctx, cancel := context.WithTimeout(ctx, p.cfg.ConnectWithin)
	defer cancel()
	tcp, err := p.cfg.Dial(ctx, "tcp", p.cfg.Address)
	if err != nil {
		return nil, fmt.Errorf("connecting: %w", err)
	}
	if p.cfg.TLS == nil {
		return newConn(tcp, tcp, nil), nil
	}
	below := &records{Conn: tcp}
	secured := tls.Client(below, p.cfg.TLS)
	if err := secured.HandshakeContext(ctx); err != nil {
		tcp.Close()
		return nil, fmt.Errorf("connecting: %w", err)
	}
	return newConn(secured, tcp, below), nil
}

// UnsentError says that nothing of the request was sent, and why.
type UnsentError struct{ Err error }

func (e *UnsentError) Error() string { return "nothing was sent: " + e.Err.Error() }
func (e *UnsentError) Unwrap() error { return e.Err }
