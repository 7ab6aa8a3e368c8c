package gatehoused

import "syscall"

// endWithParent makes the system end a server whose test process has died.
func endWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
