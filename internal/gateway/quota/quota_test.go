package quota_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/gateway/quota"
	"pgregory.net/rapid"
)

type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func (c *clock) forward(d time.Duration) { c.t = c.t.Add(d) }

func start(quotas map[string]quota.Quota) (*quota.Pools, *clock) {
	c := &clock{time.Unix(1e9, 0)}
	return quota.New(quotas, c.now), c
}

func TestRequests(t *testing.T) {
	t.Parallel()
	p, c := start(map[string]quota.Quota{"a": {Requests: 6}, "b": {}})
	for i := range 6 {
		if wait := p.Take("a", "m", 1e6); wait != 0 {
			t.Fatalf("request %d waits %s", i, wait)
		}
	}
	if wait := p.Take("a", "m", 0); wait != 10*time.Second {
		t.Errorf("the seventh waits %s", wait)
	}
	if p.Take("a", "n", 0) != 0 || p.Take("b", "m", 1<<40) != 0 || p.Take("unheard of", "m", 1<<40) != 0 {
		t.Error("another model, or a pool without a quota, waits")
	}
	c.forward(10 * time.Second)
	if p.Take("a", "m", 0) != 0 || p.Take("a", "m", 0) == 0 {
		t.Error("after ten seconds there is not exactly one more")
	}
	p.Return("a", "m", 0)
	if p.Take("a", "m", 0) != 0 {
		t.Error("what was given back is not there")
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	p, c := start(map[string]quota.Quota{"a": {Tokens: 6000}})
	if p.Take("a", "m", 4000) != 0 {
		t.Fatal("the first waits")
	}
	if wait := p.Take("a", "m", 3000); wait != 10*time.Second {
		t.Errorf("one that is too large for what is left waits %s", wait)
	}
	p.Correct("a", "m", 4000, 500)
	if p.Take("a", "m", 3000) != 0 {
		t.Error("what was not used is gone")
	}
	p.Correct("a", "m", 3000, 1e9)
	if wait := p.Take("a", "m", 0); wait != time.Minute {
		t.Errorf("a debt is worked off in %s", wait)
	}
	c.forward(time.Hour)
	if p.Take("a", "m", 1e9) != 0 {
		t.Error("a request larger than a minute's never goes")
	}
	if wait := p.Take("a", "m", 1e9); wait != time.Minute {
		t.Errorf("the next such waits %s", wait)
	}
}

func TestExhausted(t *testing.T) {
	t.Parallel()
	p, c := start(map[string]quota.Quota{"a": {}})
	for said, want := range map[time.Duration]time.Duration{0: time.Second, 5 * time.Second: 5 * time.Second, time.Hour: time.Minute} {
		p.Exhausted("a", "m", said)
		if wait := p.Take("a", "m", 0); wait != want {
			t.Errorf("told %s, it waits %s", said, wait)
		}
		if p.Take("a", "n", 0) != 0 {
			t.Error("another model waits")
		}
		c.forward(want)
		if p.Take("a", "m", 0) != 0 {
			t.Errorf("after %s it still waits", want)
		}
	}
}

// Whatever is done, no minute has more than two minutes' quota: what was there, and what
// came back. Who waits as long as they were told is let in, if nobody came between.
func TestNoMoreThanTheQuota(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		q := quota.Quota{Requests: rapid.Int64Range(1, 50).Draw(t, "requests"), Tokens: rapid.Int64Range(1, 1000).Draw(t, "tokens")}
		p, c := start(map[string]quota.Quota{"a": q})
		end, requests, tokens := c.t.Add(time.Minute), int64(0), int64(0)
		for c.t.Before(end) {
			wants := rapid.Int64Range(0, q.Tokens).Draw(t, "wants")
			if wait := p.Take("a", "m", wants); wait > 0 {
				c.forward(wait + time.Millisecond)
				if again := p.Take("a", "m", wants); again != 0 {
					t.Fatalf("after %s it waits %s more", wait, again)
				}
			}
			requests, tokens = requests+1, tokens+wants
			c.forward(time.Duration(rapid.Int64Range(0, int64(5*time.Second)).Draw(t, "pause")))
		}
		if requests > 2*q.Requests+1 || tokens > 2*q.Tokens+q.Tokens/10+q.Tokens {
			t.Fatalf("%d requests and %d tokens of %+v", requests, tokens, q)
		}
	})
}

func TestManyModels(t *testing.T) {
	t.Parallel()
	p, c := start(map[string]quota.Quota{"a": {Requests: 1}})
	for i := range 20_000 {
		p.Take("a", fmt.Sprint(i), 0)
	}
	if p.Take("a", "0", 0) == 0 || p.Take("a", "19999", 0) != 0 {
		t.Error("the first is forgotten, or the last is kept")
	}
	// What is full again makes room, and what its provider has shut does not.
	c.forward(90 * time.Second)
	p.Exhausted("a", "1", time.Minute)
	c.forward(45 * time.Second)
	if p.Take("a", "new", 0) != 0 || p.Take("a", "new", 0) == 0 || p.Take("a", "1", 0) == 0 {
		t.Error("a new model has no quota, or one that is shut is open")
	}
}
