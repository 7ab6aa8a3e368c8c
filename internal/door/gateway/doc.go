// Package gateway is the door that Claude Code and the SDKs come through: the
// Messages API and what goes with it.
//
// It reads a request's credential, gives the request an id, hands it to the
// gateway and writes errors in Anthropic's envelope. Every route that needs a
// credential is wrapped in the step that asks for it; there is no way to mount
// one without. What the door serves is written down for other implementers in
// protocol.md, which it serves as well.
//
// It must never read a credential from a URL or a body, log one, or answer with
// a redirect.
package gateway
