// Package lockfile keeps processes apart with one lock file per profile, for
// backends that have no lock of their own.
//
// The operating system frees the lock of a process that ends in any way. The
// file stays: removing it while somebody waits for it would give two processes
// one lock each. It must never hold anything.
package lockfile
