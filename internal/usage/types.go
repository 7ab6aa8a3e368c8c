package usage

import (
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/price"
)

// Request is one model request as it is known before it is sent.
type Request struct {
	ID           id.Request
	At           time.Time
	Organization id.Organization
	Member       id.Member
	Key          id.APIKey // one of Key and Session is set
	Session      id.DeviceSession
	Client       Client
	Upstream     string // the upstream's name
	Model        string // as the upstream knows it
	Stream       bool
	BodyBytes    int64       // bounds the input
	MaxTokens    int64       // bounds the output; 0: the request did not say
	Terms        price.Terms // of its price
}

// Client is what Claude Code says of itself in the request's headers.
type Client struct {
	Session     string // x-claude-code-session-id
	Agent       string // x-claude-code-agent-id
	ParentAgent string // x-claude-code-parent-agent-id
}

// Ending says how a request ended.
type Ending string

const (
	Complete Ending = "complete" // the upstream's answer was relayed whole
	Aborted  Ending = "aborted"  // the client went away
	Revoked  Ending = "revoked"  // the credential was taken back in the middle
	Broken   Ending = "broken"   // the upstream broke off
	Refused  Ending = "refused"  // the upstream answered with an error, or not at all
	Lost     Ending = "lost"     // the server died in the middle; found at its next start
)

// Outcome is how it went.
type Outcome struct {
	Ending            Ending
	Status            int // the HTTP status that the client got
	Tokens            price.Tokens
	Estimated         bool          // Tokens was not reported by the upstream but worked out from what was sent
	FirstByte         time.Duration // from the request's arrival; 0: none was sent
	Latency           time.Duration // from the request's arrival to the end
	UpstreamRequestID string
	Upstream          string      // that answered, if it is another than the Request's
	Terms             price.Terms // of its price there
}
