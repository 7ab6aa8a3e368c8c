package console_test

import (
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/door/console"
)

func TestTimesAreRead(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 14, 9, 30, 0, 0, time.UTC)
	for ago, want := range map[time.Duration]string{
		0: "just now", 59 * time.Second: "just now", time.Minute: "1 minute ago", 3 * time.Minute: "3 minutes ago", 119 * time.Minute: "1 hour ago",
		26 * time.Hour: "1 day ago", 59 * 24 * time.Hour: "59 days ago", 61 * 24 * time.Hour: "2 months ago", 400 * 24 * time.Hour: "on 7 February 2025",
		-30 * time.Second: "in less than a minute", -49 * time.Hour: "in 2 days",
	} {
		if got := console.Relative(now.Add(-ago), now); got != want {
			t.Errorf("%s before is %q, not %q", ago, got, want)
		}
	}
}

func TestMoneyIsRead(t *testing.T) {
	t.Parallel()
	for nanos, want := range map[int64]string{
		0: "$0", 1: "<$0.0001", 99_999: "<$0.0001", 100_000: "$0.0001", 7_300_000: "$0.0073", 999_000_000: "$0.9990", 1_000_000_000: "$1.00",
		1_994_999_999: "$1.99", 1_995_000_000: "$2.00", 12_345_678_900_000_000: "$12,345,678.90", -2_500_000_000: "-$2.50",
	} {
		if got := console.Dollars(nanos); got != want {
			t.Errorf("%d is %q, not %q", nanos, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -1234567: "-1,234,567"} {
		if got := console.Number(n); got != want {
			t.Errorf("%d is %q, not %q", n, got, want)
		}
	}
}
