package main

import "golang.org/x/sys/windows"

// stopEcho leaves everything else of a console as it is. Where it fails, each
// line is read silently all the same.
func stopEcho(fd int) {
	var mode uint32
	if windows.GetConsoleMode(windows.Handle(fd), &mode) == nil {
		_ = windows.SetConsoleMode(windows.Handle(fd), mode&^windows.ENABLE_ECHO_INPUT)
	}
}
