// Package browser drives a real Chromium against pages served on loopback.
//
// One headless browser serves a test process; New gives every test a profile of
// its own in it (cookies, storage), so tests may run in parallel. Everything
// the page writes to the console as an error is kept, so that a test can ask
// that there was nothing: a blocked script or style shows there first.
//
// The browser makes no connection of its own, ends with the process, and leaves
// no folder behind. It must never visit anything but loopback, and it never
// skips a test: without Chromium the test fails and says how to get it.
package browser
