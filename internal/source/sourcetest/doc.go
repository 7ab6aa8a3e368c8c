// Package sourcetest is the suite that every kind of credential passes: that it
// is found and handed out with its origin, end and payer, that what ends soon is
// not handed out, and that servers and programs which hang, flood, redirect,
// answer HTML or let a secret slip cost an error and nothing else.
//
// Endpoints are servers on loopback with the documented answers; commands are
// small scripts on a PATH of the test's own.
package sourcetest
