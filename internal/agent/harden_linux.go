package agent

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Harden keeps the memory of this process from files and from other programs of
// the same user: no core file, no ptrace, no /proc/PID/mem.
func Harden() error {
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("switching core files off: %w", err)
	}
	return Conceal()
}

// Conceal is Harden without what children inherit: it keeps the memory from other
// programs, and from core files too.
func Conceal() error {
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("keeping other programs from the memory: %w", err)
	}
	return nil
}
