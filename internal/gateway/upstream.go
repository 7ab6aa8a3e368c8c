package gateway

import (
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/id"
)

// Upstream is a place where models answer. Whatever it speaks, it is asked and
// answers in the Anthropic Messages format: one that needs another body,
// another signature or another stream translates inside its own package.
//
// Its methods may be called concurrently.
type Upstream interface {
	// Name is the upstream's name for people and the ledger. It is stable.
	Name() string

	// Pings says whether a stream of this upstream is never silent for long,
	// because it sends pings of its own. Where it does not, the gateway does.
	Pings() bool

	// Send asks the model and returns as soon as the answer's header is there.
	// An answer with an error status is an Answer, not an error.
	//
	// It fails with fault.Unavailable if the upstream cannot be reached, with
	// fault.Timeout if it did not answer in time, with fault.Unsupported if it
	// has no such operation, and with the context's error if that ended. The
	// messages of these faults are shown to the client: they name no address
	// and no credential.
	//
	// Whatever it fails with, the error is ErrNotSent as well if the upstream has
	// heard nothing of the request. One that may have heard of it may charge for
	// it, and so do we.
	//
	// The context ends when the client goes away or its credential is revoked:
	// then the request to the upstream, the answer's body included, is given up
	// at once.
	Send(ctx context.Context, call *Call) (*Answer, error)
}

// ErrNotSent says that an upstream has heard nothing of a request.
var ErrNotSent = errors.New("nothing was sent to the upstream")

// Operation is what is asked of an upstream.
type Operation string

const (
	Messages    Operation = "messages"     // POST /v1/messages
	CountTokens Operation = "count_tokens" // POST /v1/messages/count_tokens
)

// Call is one request to an upstream. It is read-only for the upstream, and
// valid until Send has failed or the answer's body is closed.
type Call struct {
	ID        id.Request
	Operation Operation
	Model     string // as the client wrote it, a suffix such as "[1m]" included
	Stream    bool   // the client asked for server-sent events
	MaxTokens int64  // 0: the request did not say
	Query     string // the raw query, without "?"

	// Header holds what may be passed on: "anthropic-version", "anthropic-beta",
	// "user-agent", "x-stainless-*", "traceparent" … in canonical form. No
	// credential, cookie, hop-by-hop or forwarding header is among them. The map
	// must not be changed; clone it to add to it.
	Header http.Header

	// Who asked: for attribution at the provider.
	Who caller.Caller

	body *payload
}

// NewCall returns a copy of c with a body that nobody recycles: for upstreams'
// tests and for probes. The gateway itself makes calls over pooled bodies.
func NewCall(c Call, body []byte) *Call {
	c.body = &payload{bytes: body}
	return &c
}

// Body is the request's body as it came. Read it only, and only until Send
// returns: what goes on reading after that uses Reader.
func (c *Call) Body() []byte { return c.body.bytes }

// Reader returns a reader over the body that stays valid until it is closed,
// also after Send has returned. It must be closed, once or more often. It is
// an io.WriterTo.
func (c *Call) Reader() io.ReadCloser { return c.body.reader() }

// Answer is what an upstream answered, in the Anthropic format.
type Answer struct {
	Status int
	// Header is the answer's header in canonical form. The gateway owns it from
	// here on and takes out what must not reach the client. "Request-Id" is the
	// upstream's own id of the request.
	Header http.Header
	// Body is JSON or, with content type text/event-stream, server-sent events.
	// Read returns what has arrived and does not wait for its buffer to fill. It
	// is never nil; Close gives up whatever has not been read.
	Body io.ReadCloser
	// Length is the body's length in bytes, -1 if unknown.
	Length int64
}
