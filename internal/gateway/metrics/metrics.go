package metrics

import (
	"strconv"
	"sync"

	"github.com/gatehouse-dev/gatehouse/internal/gateway"
	"github.com/gatehouse-dev/gatehouse/internal/usage"
	"github.com/prometheus/client_golang/prometheus"
)

// maxModels is how many models get a series of their own.
const maxModels = 100

// Observer is a gateway.Observer and a prometheus.Collector. Make it with New,
// give it to the gateway and register it.
type Observer struct {
	requests  *prometheus.CounterVec
	duration  *prometheus.HistogramVec
	firstByte *prometheus.HistogramVec
	open      prometheus.Gauge

	times [2][2]timing // :: [count_tokens or not][stream or not]

	mu     sync.RWMutex
	series map[seriesKey]prometheus.Counter
	models map[string]struct{}
}

type timing struct{ duration, firstByte prometheus.Observer }

type seriesKey struct {
	operation gateway.Operation
	model     string
	status    int
	ending    usage.Ending
}

// New returns an Observer that has seen nothing.
func New() *Observer {
	buckets := []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600}
	labels := []string{"operation", "stream"}
	o := &Observer{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "gatehouse_requests_total",
			Help: "Model requests that have ended."}, []string{"operation", "model", "status", "ending"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "gatehouse_request_duration_seconds",
			Help: "From a model request's arrival to its end.", Buckets: buckets}, labels),
		firstByte: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "gatehouse_first_byte_seconds",
			Help: "From a model request's arrival to the first byte of its answer.", Buckets: buckets}, labels),
		open: prometheus.NewGauge(prometheus.GaugeOpts{Name: "gatehouse_open_streams",
			Help: "Model requests under way."}),
		series: map[seriesKey]prometheus.Counter{}, models: map[string]struct{}{},
	}
	for i, operation := range []gateway.Operation{gateway.Messages, gateway.CountTokens} {
		for j, stream := range []string{"false", "true"} {
			o.times[i][j] = timing{o.duration.WithLabelValues(string(operation), stream), o.firstByte.WithLabelValues(string(operation), stream)}
		}
	}
	return o
}

// Opened implements gateway.Observer.
func (o *Observer) Opened() { o.open.Inc() }

// Closed implements gateway.Observer.
func (o *Observer) Closed(seen gateway.Seen) {
	o.open.Dec()
	t := &o.times[index(seen.Operation == gateway.CountTokens)][index(seen.Stream)]
	t.duration.Observe(seen.Duration.Seconds())
	if seen.FirstByte > 0 {
		t.firstByte.Observe(seen.FirstByte.Seconds())
	}
	key := seriesKey{seen.Operation, seen.Model, seen.Status, seen.Ending}
	o.mu.RLock()
	counter := o.series[key]
	o.mu.RUnlock()
	if counter == nil {
		counter = o.find(key)
	}
	counter.Inc()
}

func index(b bool) int {
	if b {
		return 1
	}
	return 0
}

// find makes the series of a key, or returns that of the rest.
func (o *Observer) find(key seriesKey) prometheus.Counter {
	o.mu.Lock()
	defer o.mu.Unlock()
	known := true
	if _, known = o.models[key.model]; !known && len(o.models) < maxModels {
		o.models[key.model], known = struct{}{}, true
	}
	model := key.model
	if !known {
		model = "other"
	}
	counter := o.requests.WithLabelValues(string(key.operation), model, strconv.Itoa(key.status), string(key.ending))
	if known {
		o.series[key] = counter
	}
	return counter
}

// Describe implements prometheus.Collector.
func (o *Observer) Describe(to chan<- *prometheus.Desc) {
	for _, c := range o.collectors() {
		c.Describe(to)
	}
}

// Collect implements prometheus.Collector.
func (o *Observer) Collect(to chan<- prometheus.Metric) {
	for _, c := range o.collectors() {
		c.Collect(to)
	}
}

func (o *Observer) collectors() []prometheus.Collector {
	return []prometheus.Collector{o.requests, o.duration, o.firstByte, o.open}
}
