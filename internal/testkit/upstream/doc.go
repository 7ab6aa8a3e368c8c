// Package upstream is a counting stand-in for the Anthropic API.
//
// It answers the Messages API on loopback with JSON or a stream of events, and
// keeps every request byte for byte, together with the usage it handed out for
// it: what a ledger must add up to. The usage follows from the request alone,
// so that a test can also say it beforehand (see UsageOf).
//
// A Plan makes it misbehave: refuse, wait for a signal before any event, ping,
// break off in the middle, compress. Nothing in it waits for time to pass, and
// its events are written by hand here, so that no fault of an encoder is shared
// with what it tests.
package upstream
