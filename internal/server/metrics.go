package server

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/door/route"
	"github.com/gatehouse-dev/gatehouse/internal/gateway"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are what /metrics shows. It is the gateway.Observer.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	first    *prometheus.HistogramVec
	grants   *prometheus.CounterVec
	letters  *prometheus.CounterVec
	open     prometheus.Gauge

	mu   sync.RWMutex
	seen map[seenKey]handles
}

// seenKey is all that the series of an exchange differ by.
type seenKey struct {
	operation gateway.Operation
	upstream  string
	model     string
	status    int
	ending    string
}

// handles are the series of a key, looked up once: the way of a request has no
// time to hash labels.
type handles struct {
	requests        prometheus.Counter
	duration, first prometheus.Observer
}

// maxSeries bounds how many models and upstreams are told apart.
const maxSeries = 2000

func newMetrics() *metrics {
	buckets := []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600}
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "gatehouse_requests_total",
			Help: "Model requests that have ended."}, []string{"operation", "upstream", "model", "status", "ending"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "gatehouse_request_duration_seconds",
			Help: "From a model request's arrival to its end.", Buckets: buckets}, []string{"operation", "upstream"}),
		first: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "gatehouse_first_byte_seconds",
			Help: "From a model request's arrival to the first byte of its answer.", Buckets: buckets}, []string{"operation", "upstream"}),
		grants: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "gatehouse_oauth_grants_total",
			Help: "Answers of the token endpoints."}, []string{"grant_type", "outcome"}),
		letters: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "gatehouse_letters_total",
			Help: "Attempts of this node to send a letter, by what became of it."}, []string{"outcome"}),
		open: prometheus.NewGauge(prometheus.GaugeOpts{Name: "gatehouse_open_streams",
			Help: "Model requests that are under way."}),
		seen: map[seenKey]handles{},
	}
	m.registry.MustRegister(m.requests, m.duration, m.first, m.grants, m.letters, m.open,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// gauge adds a value that is read when somebody looks.
func (m *metrics) gauge(name, help string, read func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, read))
}

// Opened implements gateway.Observer.
func (m *metrics) Opened() { m.open.Inc() }

// Closed implements gateway.Observer.
func (m *metrics) Closed(s gateway.Seen) {
	m.open.Dec()
	h := m.of(seenKey{s.Operation, s.Upstream, s.Model, s.Status, string(s.Ending)})
	h.requests.Inc()
	h.duration.Observe(s.Duration.Seconds())
	if s.FirstByte > 0 {
		h.first.Observe(s.FirstByte.Seconds())
	}
}

func (m *metrics) of(k seenKey) handles {
	m.mu.RLock()
	h, ok := m.seen[k]
	full := len(m.seen) >= maxSeries
	m.mu.RUnlock()
	if ok {
		return h
	}
	if full { // a client can name any model: beyond the bound they are all one
		k.model = "other"
	}
	op := string(k.operation)
	h = handles{m.requests.WithLabelValues(op, k.upstream, k.model, strconv.Itoa(k.status), k.ending),
		m.duration.WithLabelValues(op, k.upstream), m.first.WithLabelValues(op, k.upstream)}
	m.mu.Lock()
	m.seen[k] = h
	m.mu.Unlock()
	return h
}

func (m *metrics) granted(grantType, outcome string) {
	m.grants.WithLabelValues(grantType, outcome).Inc()
}

// handler serves the metrics to whoever has the token; to everybody if it is empty.
func (m *metrics) handler(token secret.Text) http.Handler {
	h := promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !token.Empty() && !secret.New(r.Header.Get("Authorization")).Equal(secret.New("Bearer "+token.Reveal())) {
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, "the metrics need the token that the server was configured with", http.StatusUnauthorized)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// routes is where the server's own address shows the metrics: nowhere, unless
// the configuration opened them or gave them a token.
func (m *metrics) routes(cfg Config) []route.Route {
	switch {
	case cfg.MetricsOpen:
		return []route.Route{{Pattern: "GET /metrics", Open: true, Handler: m.handler(secret.Text{})}}
	case !cfg.MetricsToken.Empty():
		return []route.Route{{Pattern: "GET /metrics", Handler: m.handler(cfg.MetricsToken)}}
	}
	return nil
}
