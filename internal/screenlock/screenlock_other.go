//go:build !linux

package screenlock

import (
	"context"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

// Buses are the addresses of the message buses of Linux.
type Buses struct{ Session, System string }

// Watch fails with Unsupported: only Linux is known so far.
func Watch(context.Context, Buses, func(), func(locked bool)) error {
	return fault.New(fault.Unsupported, "nothing here tells when the screen is locked: that is for Linux so far").WithHint("gatehouse agent")
}
