//go:build unix

package main

import "golang.org/x/sys/unix"

// stopEcho leaves everything else of a terminal as it is. Where it fails, each
// line is read silently all the same.
func stopEcho(fd int) {
	state, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return
	}
	state.Lflag &^= unix.ECHO
	_ = unix.IoctlSetTermios(fd, setTermios, state)
}
