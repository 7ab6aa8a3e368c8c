package agent

import (
	"context"
	"errors"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

// Supported says whether this system can have an agent.
const Supported = false

var errSystem = fault.New(fault.Unsupported, "there is no agent on Windows yet").WithHint("gatehouse token")

// Harden does nothing here.
func Harden() error { return nil }

// Conceal does nothing here.
func Conceal() error { return nil }

// Server cannot run here.
type Server struct {
	Keeper *Keeper
	Dir    string
	Home   string
	Idle   time.Duration
	Screen bool
}

// ErrRuns says that another agent has the folder.
var ErrRuns = errors.New("an agent runs already")

// Run fails with Unsupported.
func (*Server) Run(context.Context, func(socket string)) error { return errSystem }

// Ask fails with Unsupported.
func Ask(context.Context, string, bool, Request) (Answer, error) { return Answer{}, errSystem }
