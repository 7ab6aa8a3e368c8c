// Package leash runs a helper program that must not outlive the test process.
//
// A database cluster or a browser is dear to start, so one serves all tests of
// a process, and no test knows that it is the last. Leash hands the program to
// a small shell whose standard input is a pipe from this process: when the pipe
// closes, because Stop was called or because the process ended in any way, kill
// -9 included, the shell ends the program by its pid and removes its folder.
//
// It must never signal a process by name, and never leave a folder behind.
package leash
