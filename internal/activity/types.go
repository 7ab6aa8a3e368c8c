package activity

import (
	"context"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/id"
)

// Filter chooses entries of an organization. Zero fields do not restrict.
type Filter struct {
	Types  []audit.Type // one of these
	Actor  string       // done by this principal
	Person string       // done by a member whose name or address contains this
	Target string       // done to this
	From   time.Time    // then or later
	To     time.Time    // before then
	Text   string       // holds, for each of these words, one that begins with it
}

// Page is a place in the record, by position: up to Limit entries before Before,
// or at From and after it. Without both it is the end of the record.
type Page struct {
	Before int64
	From   int64
	Limit  int // 1 to 500; otherwise 50
}

const (
	defaultLimit = 50
	maxLimit     = 500
)

// Entry is an event with its place in the log. Its detail is empty once that was
// erased.
type Entry struct {
	Position int64
	audit.Event
}

// Found is a page of the record, the newest first.
type Found struct {
	Entries []Entry
	Older   bool // whether there may be more before these
	Newer   bool // whether there are more after these
	// Reached is where a search broke off that had looked at many entries and
	// found little: it goes on from there. 0: it looked at all.
	Reached int64
	// Vague are words that begin too many others: only the first of those were
	// looked for.
	Vague []string
	// Ignored says that there were more words, or persons of that name, than are
	// looked for.
	Ignored bool
}

// Place is where an entry stands in the log.
type Place struct {
	Entry
	Leaf   []byte     // what the hash is over
	Hash   audit.Hash // as it is kept; recomputed from Leaf it must be the same
	Sound  bool       // whether it is
	Size   int64      // of the log
	Erased bool       // whether the detail was
}

// Store is what the package needs read and noted.
type Store interface {
	Search(ctx context.Context, o id.Organization, f Filter, p Page) (Found, error)
	// Walk calls f with the entries that a filter chooses before a place in the
	// log, the oldest first, a batch at a time, until f fails.
	Walk(ctx context.Context, o id.Organization, f Filter, before int64, each func([]Entry) error) error
	Place(ctx context.Context, o id.Organization, a id.Activity) (p Place, ok bool, err error)
	Head(ctx context.Context) (size int64, signed string, err error)
	Note(ctx context.Context, e audit.Event) error
}
