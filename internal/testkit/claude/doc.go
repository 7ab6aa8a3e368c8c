// Package claude runs the real Claude Code, unchanged, as members do.
//
// Every run has a home of its own and an environment that holds nothing but
// what the test says, so that no setting or credential of the machine reaches
// it, and non-essential traffic is off: the only address it talks to is the one
// the test names, on loopback.
//
// Managed settings are read by the client from one folder of the system. The
// kit never writes there: it shows the client an /etc of its own, laid over the
// real one in a private mount namespace (Linux, as root or where users may make
// namespaces).
//
// It never skips for a missing program: the test fails and says how to get it.
package claude
