package agent

import (
	"errors"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

// ErrNone says that no agent answers at a socket.
var ErrNone = errors.New("no agent runs")

// ErrElsewhere says that an agent serves another configuration than the one that
// is meant.
var ErrElsewhere error = fault.New(fault.Conflict, "the agent serves another configuration").WithHint("gatehouse agent status")
