package usage

import (
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/price"
)

// Kind is what an entry of the ledger does to the account of its request.
type Kind string

const (
	Reserved Kind = "reserve" // holds the worst plausible cost, until a settle entry
	Settled  Kind = "settle"  // what it came to
	Adjusted Kind = "adjust"  // a later correction, added to the rest
)

// Entry is one row of the ledger. Entries are only ever added. A request that
// was settled before its reservation was drained has a settle entry alone.
type Entry struct {
	Sequence      int64 // order of arrival in the database; 0 before that
	Kind          Kind
	Request       id.Request
	At            time.Time // when the request arrived, to the microsecond
	Organization  id.Organization
	Member        id.Member
	Key           id.APIKey
	Session       id.DeviceSession
	Client        Client
	Upstream      string
	Model         string
	Stream        bool
	ReservedNanos int64

	// Of a settle or adjust entry:

	Status            int
	Ending            Ending
	Estimated         bool
	Tokens            price.Tokens
	CostNanos         int64
	FirstByte         time.Duration // to the microsecond; 0: none was sent
	Latency           time.Duration
	UpstreamRequestID string
	// PriceVersion is the book that priced it, with "+" and the terms that made it
	// another than the list price. It ends in "+dearest" if the book does not know the
	// model and took the dearest rates.
	PriceVersion string
}
