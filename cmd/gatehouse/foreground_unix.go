//go:build unix

package main

import "golang.org/x/sys/unix"

// foreground reports whether we may read the terminal: the system stops a
// program that reads it from the background.
func foreground(fd int) bool {
	group, err := unix.IoctlGetInt(fd, unix.TIOCGPGRP)
	return err != nil || group == unix.Getpgrp()
}
