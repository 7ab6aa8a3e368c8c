package metrics

import (
	"fmt"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/gateway"
	"github.com/gatehouse-dev/gatehouse/internal/usage"
	"github.com/prometheus/client_golang/prometheus"
)

func seen(model string) gateway.Seen {
	return gateway.Seen{Operation: gateway.Messages, Model: model, Stream: true, Status: 200, Ending: usage.Complete, FirstByte: time.Second, Duration: 2 * time.Second}
}

// gather sums every series by name, and counts them.
func gather(t *testing.T, o *Observer) (sums map[string]float64, series map[string]int) {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(o)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	sums, series = map[string]float64{}, map[string]int{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			series[f.GetName()]++
			sums[f.GetName()] += m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return sums, series
}

func TestObserver(t *testing.T) {
	t.Parallel()
	o := New()
	for range 3 {
		o.Opened()
	}
	o.Closed(seen("a"))
	o.Closed(gateway.Seen{Operation: gateway.CountTokens, Status: 401, Ending: usage.Refused})
	sums, series := gather(t, o)
	for name, want := range map[string]float64{"gatehouse_requests_total": 2, "gatehouse_request_duration_seconds": 2, "gatehouse_first_byte_seconds": 1, "gatehouse_open_streams": 1} {
		if sums[name] != want {
			t.Errorf("%s is %v, want %v", name, sums[name], want)
		}
	}
	if series["gatehouse_requests_total"] != 2 {
		t.Errorf("%d series", series["gatehouse_requests_total"])
	}
}

func TestSeriesAreBounded(t *testing.T) {
	t.Parallel()
	o := New()
	for i := range 10 * maxModels {
		o.Opened()
		o.Closed(seen(fmt.Sprint(i)))
	}
	sums, series := gather(t, o)
	if series["gatehouse_requests_total"] != maxModels+1 || sums["gatehouse_requests_total"] != 10*maxModels {
		t.Errorf("%d series count %v", series["gatehouse_requests_total"], sums["gatehouse_requests_total"])
	}
}

func TestObservingDoesNotAllocate(t *testing.T) {
	o, s := New(), seen("a")
	if n := testing.AllocsPerRun(100, func() { o.Opened(); o.Closed(s) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
