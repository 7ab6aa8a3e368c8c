package gateway

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

func TestLimiter(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0)
	l := newLimiter(2, 3, func() time.Time { return now })
	enter := func(who string) *allowance {
		t.Helper()
		a, err := l.enter(who, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	refused := func(who string, wait time.Duration) {
		t.Helper()
		_, err := l.enter(who, 0, 0)
		f, ok := errors.AsType[*fault.Error](err)
		if !ok || f.Kind != fault.RateLimited || f.RetryAfter != wait {
			t.Errorf("got %v, want to wait %v", err, wait)
		}
	}
	one, two := enter("a"), enter("a")
	refused("a", time.Second) // two at once
	enter("b")                // not its affair
	l.leave(one)
	l.leave(two)
	l.leave(enter("a"))
	refused("a", 20*time.Second) // three in the minute
	now = now.Add(15 * time.Second)
	refused("a", 5*time.Second)
	now = now.Add(5 * time.Second)
	l.leave(enter("a"))
	refused("a", 20*time.Second)
	now = now.Add(-time.Hour) // a clock that steps back gives nothing and takes nothing
	refused("a", 20*time.Second)
}

func TestLimiterForgets(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0)
	l := newLimiter(2, 3, func() time.Time { return now })
	l.size = 100
	busy, err := l.enter("busy", 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 10_000 {
		a, err := l.enter(fmt.Sprint(i), 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		l.leave(a)
		if now = now.Add(time.Millisecond); len(l.known) > 2*l.size {
			t.Fatalf("it remembers %d credentials", len(l.known))
		}
	}
	if l.known["busy"] != busy {
		t.Error("one with a request under way was forgotten")
	}
	busy.memory.Add(1)
	l.leave(busy)
	for i := range 1_000 {
		a, err := l.enter(fmt.Sprint("more", i), 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		l.leave(a)
		now = now.Add(time.Second)
	}
	if l.known["busy"] != busy {
		t.Error("one whose body is still held was forgotten")
	}
}
