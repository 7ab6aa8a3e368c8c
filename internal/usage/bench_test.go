package usage_test

import (
	"context"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/price"
	"github.com/gatehouse-dev/gatehouse/internal/store"
	"github.com/gatehouse-dev/gatehouse/internal/usage"
)

type nowhere struct{}

func (nowhere) Append(context.Context, []usage.Entry) error { return nil }

// BenchmarkRequest is the whole way of a request through the ledger: reserve,
// durable, twenty times progress, settle, drained into a database or nowhere.
func BenchmarkRequest(b *testing.B) {
	b.Run("journal", func(b *testing.B) { benchmark(b, nowhere{}) })
	b.Run("sqlite", func(b *testing.B) {
		db, err := store.Open(b.Context(), filepath.Join(b.TempDir(), "gatehouse.db"))
		if err != nil {
			b.Fatal(err)
		}
		defer db.Close()
		benchmark(b, db.Ledger())
	})
}

func benchmark(b *testing.B, to usage.Appender) {
	l, err := usage.Open(usage.Config{Dir: b.TempDir(), Store: to})
	if err != nil {
		b.Fatal(err)
	}
	member, session := id.NewMember(), id.NewDeviceSession()
	org := id.NewOrganization()
	work := make(chan int)
	var workers sync.WaitGroup
	for range 200 {
		workers.Go(func() {
			for range work {
				h, err := l.Reserve(usage.Request{ID: id.NewRequest(), At: time.Now(), Organization: org, Member: member, Session: session,
					Client: usage.Client{Session: "0f0e1c5a-7d10-4c6e-9a55-0d4b6a1f2c3d"}, Upstream: "anthropic", Model: "claude-opus-5", Stream: true, BodyBytes: 76000, MaxTokens: 32000})
				if err == nil {
					err = h.Durable(b.Context())
				}
				if err != nil {
					b.Error(err)
					return
				}
				for i := range int64(20) {
					h.Progress(price.Tokens{Input: 19000, Output: i})
				}
				if err := h.Settle(usage.Outcome{Ending: usage.Complete, Status: 200, Tokens: price.Tokens{Input: 3, Output: 200, CacheRead: 19000},
					FirstByte: time.Millisecond, Latency: time.Second, UpstreamRequestID: "req_0123456789012345678901"}); err != nil {
					b.Error(err)
				}
			}
		})
	}
	b.ReportAllocs()
	b.ResetTimer()
	before := cpu(b)
	for i := range b.N {
		work <- i
	}
	close(work)
	workers.Wait()
	if err := l.Flush(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(b.N), "cpu-µs/op")
	if err := l.Close(b.Context()); err != nil {
		b.Fatal(err)
	}
}

// cpu is the processor time that this process has used: on a busy machine that
// says more than the clock.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
