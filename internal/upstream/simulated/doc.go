// Package simulated is a model that needs no network and no money: an upstream
// that answers the Messages API as the real one does, streamed and not, with
// usage, errors and pings, the same way every time. Demos run on it and tests
// count by it.
//
// # What it says
//
// It says that no model was asked and repeats the first words of the last user
// message. A message may ask it to behave in another way:
//
//	[simulate: words=200 delay=20ms]
//
//	words=N      say N words (at most 20000)
//	delay=D      wait before every event of a stream (at most 10s, and 10m in all)
//	first=D      wait before the answer begins (at most 30s)
//	error=N      answer with an HTTP error: 400 401 402 403 404 413 429 500 504 529
//	cut=N        break the connection after N events of a stream
//	overload=N   send an overloaded_error event after N events of a stream
//	tool=NAME    call a tool, with no input, instead of saying anything
//
// Without "tool" it never calls one. A directive it does not know is a 400 that
// names those it knows.
//
// # What it counts
//
// One token is four bytes, rounded up: of the tools, the system prompt and the
// messages as they stand in the body on the way in, of the text on the way out.
// The prompt cache follows the request alone, never what was asked before, so
// that a request repeated is an answer repeated: what lies before a breakpoint
// (cache_control) is cached; up to the last breakpoint that stands before the
// conversation's last assistant message it is read, as an earlier turn will
// have written it, and from there on it is written, for as long as the
// breakpoint says (5m or 1h). There is no least size for a cached prefix.
//
// # What it refuses
//
// Bodies that are not JSON objects, missing or mistyped model, max_tokens and
// messages, more output than a known model has, more than four breakpoints, and
// models that are not Claude's: each with the API's envelope and wording. It
// does not check everything the API checks; a field it does not use passes.
//
// It must never reach for the network, never wait longer than a directive says,
// and never ask for or look at a credential.
package simulated
