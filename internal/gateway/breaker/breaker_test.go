package breaker_test

import (
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/gateway/breaker"
)

type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func TestACircuit(t *testing.T) {
	t.Parallel()
	c := &clock{time.Unix(1e9, 0)}
	s := breaker.New(c.now)
	report := func(n int, ok bool) {
		for range n {
			s.Report("u", "m", ok, 0)
		}
	}
	report(4, false)
	if s.Open("u", "m") {
		t.Fatal("it opened after four failures")
	}
	report(1, false)
	if !s.Open("u", "m") || s.Open("u", "other") || s.Open("v", "m") {
		t.Fatal("after five it is not this one alone that is open")
	}
	c.t = c.t.Add(5 * time.Second)
	if s.Open("u", "m") {
		t.Fatal("nobody tries whether it is back")
	}
	s.Ask("u", "m")
	if !s.Open("u", "m") {
		t.Fatal("two try at once")
	}
	report(1, false)
	c.t = c.t.Add(9 * time.Second)
	if !s.Open("u", "m") {
		t.Fatal("the second pause is no longer than the first")
	}
	c.t = c.t.Add(time.Second)
	if s.Open("u", "m") {
		t.Fatal("nobody tries a second time")
	}
	s.Ask("u", "m")
	report(1, true)
	if s.Open("u", "m") || len(s.States()) != 0 {
		t.Errorf("it is back, and yet %+v", s.States())
	}
}

// One that never reports back does not keep the others from trying for ever.
func TestATryThatIsLost(t *testing.T) {
	t.Parallel()
	c := &clock{time.Unix(1e9, 0)}
	s := breaker.New(c.now)
	for range 5 {
		s.Report("u", "m", false, 0)
	}
	c.t = c.t.Add(5 * time.Second)
	s.Ask("u", "m")
	if !s.Open("u", "m") {
		t.Error("two try at once")
	}
	c.t = c.t.Add(2 * time.Minute)
	if s.Open("u", "m") {
		t.Error("nobody may try any more")
	}
}

func TestHalfOfThem(t *testing.T) {
	t.Parallel()
	c := &clock{time.Unix(1e9, 0)}
	for _, tt := range []struct {
		well, ill int // in turns of so many
		opens     bool
	}{{1, 1, true}, {3, 1, false}, {9, 1, false}, {0, 1, true}} {
		s := breaker.New(c.now)
		for range 20 {
			for range tt.well {
				s.Report("u", "m", true, 0)
			}
			for range tt.ill {
				s.Report("u", "m", false, 0)
			}
		}
		if s.Open("u", "m") != tt.opens {
			t.Errorf("%d well and %d ill: open is %v", tt.well, tt.ill, !tt.opens)
		}
	}
}

// An upstream that asks for patience gets it, within bounds.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	c := &clock{time.Unix(1e9, 0)}
	s := breaker.New(c.now)
	for range 5 {
		s.Report("u", "m", false, time.Hour)
	}
	c.t = c.t.Add(119 * time.Second)
	if !s.Open("u", "m") {
		t.Error("it is asked before the time it wants")
	}
	c.t = c.t.Add(time.Second)
	if s.Open("u", "m") {
		t.Error("it is left alone for longer than ever")
	}
}
