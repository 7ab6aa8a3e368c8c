//go:build !linux

package gatehoused

import "syscall"

// endWithParent has nothing to offer here: a server outlives a test process
// that was killed.
func endWithParent() *syscall.SysProcAttr { return nil }
