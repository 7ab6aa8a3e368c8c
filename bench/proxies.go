package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"sync"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/bearer"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	door "github.com/gatehouse-dev/gatehouse/internal/door/gateway"
	"github.com/gatehouse-dev/gatehouse/internal/gateway"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/price"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/usage"
)

const benchKey = "sk-gate-bench"

// reverseHandler is what we compare with: the standard library's proxy as its
// documentation shows it, with room for as many connections as we use.
func reverseHandler(to string) (http.Handler, error) {
	target, err := url.Parse(to)
	if err != nil {
		return nil, err
	}
	proxy := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport: &http.Transport{MaxIdleConns: 4096, MaxIdleConnsPerHost: 4096, DisableCompression: true},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Without this, an upstream that answers at once makes the proxy break off
		// some answers: the server closes the body that the transport still reads.
		_ = http.NewResponseController(w).EnableFullDuplex()
		proxy.ServeHTTP(w, r)
	}), nil
}

// gatewayHandler puts the gateway together without the rest of the server.
func gatewayHandler(kind, to string) (http.Handler, error) {
	route, err := routeTo(kind, to)
	if err != nil {
		return nil, err
	}
	ledger, err := newJournal()
	if err != nil {
		return nil, err
	}
	g := gateway.New(gateway.Config{
		Authenticator: bearer.New(bearer.Config{Sources: []bearer.Source{onlyKey{}}, Now: time.Now}),
		Directory:     onlyRoute{route},
		Ledger:        ledger, Wire: door.Wire{},
		Limits: gateway.Limits{Concurrent: 1 << 20, PerMinute: 1 << 30},
	})
	mux := http.NewServeMux()
	door.New(g, nil, slog.New(slog.DiscardHandler)).Mount(mux)
	return door.Strict(mux), nil
}

type onlyKey struct{}

var member = caller.Caller{Kind: caller.Member, Way: caller.Key, Organization: id.NewOrganization(), Member: id.NewMember(), Key: id.NewAPIKey(), Rights: caller.All}

func (onlyKey) Accepts(v string) bool { return v == benchKey }
func (onlyKey) Resolve(context.Context, secret.Text) (caller.Caller, time.Time, error) {
	return member, time.Time{}, nil
}
func (onlyKey) Recheck(_ context.Context, who caller.Caller) (caller.Caller, error) { return who, nil }

type onlyRoute struct{ route *gateway.Route }

func (r onlyRoute) Route(context.Context, caller.Caller, string) (*gateway.Route, error) {
	return r.route, nil
}

// journal stands in for the ledger: one file, written in groups.
type journal struct {
	file *os.File

	mu      sync.Mutex
	pending []byte
	group   chan struct{} // closed when the group being collected is on disk
	wake    chan struct{}
}

func newJournal() (*journal, error) {
	file, err := os.CreateTemp("", "bench-journal-*")
	if err != nil {
		return nil, err
	}
	os.Remove(file.Name())
	j := &journal{file: file, group: make(chan struct{}), wake: make(chan struct{}, 1)}
	go j.run()
	return j, nil
}

func (j *journal) run() {
	for range j.wake {
		time.Sleep(time.Millisecond) // a group, not one at a time
		j.mu.Lock()
		batch, done := j.pending, j.group
		j.pending, j.group = nil, make(chan struct{})
		j.mu.Unlock()
		j.file.Write(batch)
		j.file.Sync()
		close(done)
	}
}

type held struct {
	j     *journal
	group chan struct{}
	id    id.Request
}

func (j *journal) Reserve(r usage.Request) (gateway.Hold, error) {
	line, _ := json.Marshal(r)
	j.mu.Lock()
	j.pending = append(append(j.pending, line...), '\n')
	group := j.group
	j.mu.Unlock()
	select {
	case j.wake <- struct{}{}:
	default:
	}
	return &held{j, group, r.ID}, nil
}

func (h *held) Durable(ctx context.Context) error {
	select {
	case <-h.group:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (h *held) Progress(price.Tokens) {}

func (h *held) Settle(out usage.Outcome) error {
	line, _ := json.Marshal(out)
	_, err := h.j.file.Write(append(line, '\n'))
	return err
}
