//go:build unix

package launch

import (
	"fmt"
	"syscall"
)

// Start puts the program in our place: signals, terminal, process id and exit
// code are its own from then on. It returns only if that fails.
func Start(p Program) (code int, err error) {
	return 0, fmt.Errorf("starting %s: %w", p.Path, syscall.Exec(p.Path, p.Args, p.Env))
}
