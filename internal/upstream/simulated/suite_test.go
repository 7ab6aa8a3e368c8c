package simulated_test

import (
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/upstream/simulated"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/upstreamtest"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	upstreamtest.Run(t, func(*testing.T) upstreamtest.Subject {
		return upstreamtest.Subject{Upstream: simulated.New("simulated"), Model: "claude-sonnet-5", Slow: "[simulate: words=100 delay=1s]"}
	})
}
