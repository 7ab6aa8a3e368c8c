// Package upstreamtest is the suite that every upstream passes.
//
// A provider's own tests say how it speaks to its provider; this suite says
// what the gateway relies on, whatever is behind: answers in the Anthropic
// format, errors of the right kind, requests left as they are, and an end that
// comes at once when it is asked for.
package upstreamtest
