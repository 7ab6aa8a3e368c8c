package gateway

import (
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/usage"
)

// Observer is told of every exchange. It is called on the way of the request:
// it must be quick, must not block, and may be called concurrently.
type Observer interface {
	Opened()
	Closed(seen Seen)
}

// Seen is one exchange, looked back upon.
type Seen struct {
	Operation Operation
	Upstream  string // "" if it came to none
	Model     string // "" if it was refused before that was known
	Failovers int    // how many other upstreams were asked before the one that answered
	Stream    bool   // the answer was a stream
	Status    int    // what the client got; 0 if it got nothing
	Ending    usage.Ending
	FirstByte time.Duration // from the request's arrival; 0: none was sent
	Duration  time.Duration
}

type unobserved struct{}

func (unobserved) Opened()     {}
func (unobserved) Closed(Seen) {}
