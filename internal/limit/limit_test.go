package limit_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/limit"
)

func TestLimiter(t *testing.T) {
	now := time.Unix(1000, 0)
	l := limit.New(3, time.Minute, func() time.Time { return now })
	for i := range 3 {
		if ok, _ := l.Allow("a"); !ok {
			t.Fatalf("try %d is refused", i+1)
		}
	}
	ok, wait := l.Allow("a")
	if ok || wait <= 0 || wait > 20*time.Second {
		t.Fatalf("the fourth try: %v, wait %v", ok, wait)
	}
	if ok, _ := l.Allow("b"); !ok {
		t.Error("another name pays for the first")
	}
	now = now.Add(wait)
	if ok, _ := l.Allow("a"); !ok {
		t.Error("refused after the wait that was asked for")
	}
	now = now.Add(-time.Hour)
	if ok, _ := l.Allow("a"); ok {
		t.Error("a clock that jumps back gives tries away")
	}
}

func TestGiveBack(t *testing.T) {
	now := time.Unix(1000, 0)
	l := limit.New(1, time.Minute, func() time.Time { return now })
	for range 5 {
		if ok, _ := l.Allow("a"); !ok {
			t.Fatal("a try that was given back is used up")
		}
		l.GiveBack("a")
	}
	l.GiveBack("a") // more than was taken
	if ok, _ := l.Allow("a"); !ok {
		t.Fatal("the one try there is was refused")
	}
	if ok, _ := l.Allow("a"); ok {
		t.Error("giving back made more tries than there are")
	}
}

func TestNetwork(t *testing.T) {
	for address, want := range map[string]string{"192.0.2.7": "192.0.2.7", "::ffff:192.0.2.7": "192.0.2.7", "2001:db8:1:2:3::4": "2001:db8:1:2::/64",
		"2001:db8:1:2:ffff::1%eth0": "2001:db8:1:2::/64", "nonsense": "nonsense", "": ""} {
		if got := limit.Network(address); got != want {
			t.Errorf("Network(%q) = %q, want %q", address, got, want)
		}
	}
}

func TestNamesAreBounded(t *testing.T) {
	now := time.Unix(1000, 0)
	l := limit.New(1, time.Hour, func() time.Time { return now })
	for i := range 200_000 {
		if ok, _ := l.Allow(fmt.Sprint(i)); !ok {
			t.Fatalf("name %d is refused its first try", i)
		}
	}
}
