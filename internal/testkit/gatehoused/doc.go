// Package gatehoused runs the two programs as they are shipped.
//
// The programs are built once, without C, into a folder of the repository that
// git ignores; the Go tool knows when there is nothing to do. Start runs
// `gatehoused demo --json` on a free port with a data folder of its own, and
// gives the test its address and its credentials. A server can be stopped
// politely, killed as a power cut would, and started again on the same data. Serve
// runs `gatehoused serve`, which begins with nothing.
//
// Servers listen on loopback, get no variable of the test's environment but the
// few that a program needs, and end with the test.
package gatehoused
