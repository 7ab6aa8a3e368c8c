package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/letter"
	"github.com/gatehouse-dev/gatehouse/internal/outbox"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// Outbox is the outbox.Store.
type Outbox struct{ db *DB }

// Outbox returns the letters and what became of them.
func (db *DB) Outbox() Outbox { return Outbox{db} }

var _ outbox.Store = Outbox{}

const messageColumns = `SELECT o.id, o.organization_id, o.kind, o.address, o.name, o.subject, o.about, o.status, o.attempts, o.next_at, o.last_error,
	o.created_at, o.sent_at, o.expires_at, c.link FROM outbox o LEFT JOIN outbox_content c ON c.message_id = o.id `

func (s Outbox) scanMessage(row scanner) (m outbox.Message, err error) {
	var link []byte
	var next, created int64
	var sent, expires sql.NullInt64
	if err := row.Scan(&m.ID, &m.Organization, &m.Kind, &m.To, &m.ToName, &m.Subject, &m.About, &m.Status, &m.Attempts, &next, &m.LastError,
		&created, &sent, &expires, &link); err != nil {
		return m, err
	}
	if m.Status == outbox.Waiting || m.Status == outbox.Queued {
		m.NextAt = fromMicros(next)
	}
	m.CreatedAt, m.SentAt, m.ExpiresAt = fromMicros(created), fromMaybe(sent), fromMaybe(expires)
	if len(link) > 0 {
		m.Link, err = s.open(m.ID, "link", link)
	}
	return m, err
}

func (s Outbox) open(m id.Message, column string, sealed []byte) (secret.Text, error) {
	plain, err := s.db.ring.Open(outboxPlace(m, column), sealed)
	return secret.New(string(plain)), err
}

func (s Outbox) Messages(ctx context.Context, f outbox.Filter) ([]outbox.Message, bool, error) {
	c := cursor{table: "outbox", alias: "o.", after: string(f.After), before: string(f.Before), limit: f.Limit}
	q := selects(messageColumns + `WHERE true`)
	if !f.Everywhere {
		q.and(`o.organization_id = %s`, f.Organization)
	}
	among(q, `o.status`, f.Statuses)
	if f.Sought != "" {
		pattern := containing(f.Sought)
		q.and(`(LOWER(o.address) LIKE %s ESCAPE '\' OR LOWER(o.name) LIKE %s ESCAPE '\')`, pattern, pattern)
	}
	q.page(c)
	rows, err := queryAll(ctx, s.db.read, s.scanMessage, q.text.String(), q.args...)
	page, more := turn(c, rows)
	return page, more, err
}

func (s Outbox) Message(ctx context.Context, o id.Organization, m id.Message) (outbox.Message, bool, error) {
	return first(queryAll(ctx, s.db.read, s.scanMessage, messageColumns+`WHERE o.organization_id = $1 AND o.id = $2`, o, m))
}

func (s Outbox) Find(ctx context.Context, m id.Message) (outbox.Message, bool, error) {
	return first(queryAll(ctx, s.db.read, s.scanMessage, messageColumns+`WHERE o.id = $1`, m))
}

// Counts counts each status in its index, and no further than people read.
func (s Outbox) Counts(ctx context.Context, o id.Organization) (outbox.Counts, error) {
	counts := outbox.Counts{}
	for _, status := range outbox.Statuses() {
		var n int
		if _, err := s.db.queryRow(ctx, []any{&n}, `SELECT COUNT(*) FROM (SELECT 1 FROM outbox WHERE organization_id = $1 AND status = $2 LIMIT $3) AS counted`,
			o, string(status), outbox.CountLimit); err != nil {
			return nil, err
		}
		counts[status] = n
	}
	return counts, nil
}

func (s Outbox) Retry(ctx context.Context, o id.Organization, m id.Message, at time.Time, e audit.Event) error {
	return s.db.record(ctx, func(t tx) error {
		n, err := t.exec(`UPDATE outbox SET status = 'waiting', attempts = 0, tried_at = NULL, next_at = $1, last_error = ''
			WHERE organization_id = $2 AND id = $3 AND status = 'failed' AND (expires_at IS NULL OR expires_at > $1)`, micros(at), o, m)
		if err == nil && n == 0 {
			err = fault.New(fault.Conflict, "this letter is not a failed one any more").WithHint("look at it again")
		}
		return err
	}, e)
}

// Queue puts letters into the outbox that tell of nothing else that is stored.
func (s Outbox) Queue(ctx context.Context, letters []letter.Letter, events ...audit.Event) error {
	return s.db.record(ctx, func(t tx) error { return s.db.queueLetters(t, letters...) }, events...)
}

func (s Outbox) Note(ctx context.Context, e audit.Event) error { return s.db.record(ctx, nil, e) }

const dueLetters = ` FROM outbox WHERE status IN ('waiting', 'queued') AND next_at <= $1`

// Claim finds and takes in one transaction. Where several write at once, rows
// that another node is about to take are passed over. Mostly nothing is due, and
// then nobody's writing is held up.
func (s Outbox) Claim(ctx context.Context, now, until time.Time, limit int) (letters []outbox.Letter, err error) {
	if some, err := s.db.queryRow(ctx, []any{new(int)}, `SELECT 1`+dueLetters+` LIMIT 1`, micros(now)); err != nil || !some {
		return nil, err
	}
	err = s.db.upkeep(ctx, func(t tx) error {
		due, err := queryAll(ctx, t, scanText, `SELECT id`+dueLetters+` ORDER BY bulk, next_at LIMIT $2`+s.db.dialect.skipLocked(), micros(now), limit)
		if err != nil || len(due) == 0 {
			return err
		}
		marks := placeholders(3, len(due))
		args := append([]any{micros(until), micros(now)}, anys(due)...)
		if _, err := t.exec(`UPDATE outbox SET status = 'queued', attempts = attempts + 1, next_at = $1, tried_at = COALESCE(tried_at, $2)
			WHERE id IN (`+marks+`)`, args...); err != nil {
			return err
		}
		letters, err = queryAll(ctx, t, s.scanLetter, `SELECT o.id, o.organization_id, o.kind, o.address, o.name, o.subject, o.about, o.attempts, o.created_at, o.tried_at,
			o.expires_at, c.text, c.html FROM outbox o LEFT JOIN outbox_content c ON c.message_id = o.id WHERE o.id IN (`+placeholders(1, len(due))+`) ORDER BY o.bulk, o.created_at, o.id`, anys(due)...)
		return err
	})
	return letters, err
}

func (s Outbox) scanLetter(row scanner) (l outbox.Letter, err error) {
	var text, html []byte
	var created, tried int64
	var expires sql.NullInt64
	if err := row.Scan(&l.ID, &l.Organization, &l.Kind, &l.To, &l.ToName, &l.Subject, &l.About, &l.Attempts, &created, &tried, &expires, &text, &html); err != nil {
		return l, err
	}
	l.Status, l.CreatedAt, l.TriedAt, l.ExpiresAt = outbox.Queued, fromMicros(created), fromMicros(tried), fromMaybe(expires)
	// One that cannot be read must not keep the others from being sent.
	var unread [2]error
	l.Text, unread[0] = s.open(l.ID, "text", text)
	l.HTML, unread[1] = s.open(l.ID, "html", html)
	l.Unreadable = errors.Join(unread[:]...)
	return l, nil
}

// Settle notes what happened. A letter that is gone, or that another node has
// taken over since, keeps what is known of it, but for one that was sent.
func (s Outbox) Settle(ctx context.Context, outcomes []outbox.Outcome, events ...audit.Event) error {
	f := func(t tx) error {
		for _, o := range outcomes {
			if err := settle(t, o); err != nil {
				return err
			}
		}
		return nil
	}
	if len(events) == 0 {
		return s.db.upkeep(ctx, f)
	}
	return s.db.record(ctx, f, events...)
}

func settle(t tx, o outbox.Outcome) error {
	switch o.Status {
	case outbox.Sent:
		if _, err := t.exec(`UPDATE outbox SET status = 'sent', sent_at = $1, last_error = '' WHERE id = $2 AND status <> 'sent'`, micros(o.At), o.ID); err != nil {
			return err
		}
		return forget(t, o.ID)
	case outbox.Queued:
		attempts := o.Attempt
		if o.Uncounted {
			attempts--
		}
		_, err := t.exec(`UPDATE outbox SET next_at = $1, attempts = $2, last_error = $3 WHERE id = $4 AND attempts = $5 AND status = 'queued'`,
			micros(o.NextAt), attempts, o.LastError, o.ID, o.Attempt)
		return err
	case outbox.Failed, outbox.Expired:
		_, err := t.exec(`UPDATE outbox SET status = $1, last_error = $2 WHERE id = $3 AND attempts = $4 AND status = 'queued'`, string(o.Status), o.LastError, o.ID, o.Attempt)
		return err
	}
	return fmt.Errorf("a letter cannot be settled as %q", o.Status)
}

// forget deletes what a sent letter said. The link of an invitation stays for
// those who may hand it over, as mail that was taken is not always seen.
func forget(t tx, m id.Message) error {
	n, err := t.exec(`UPDATE outbox_content SET text = $1, html = $1 WHERE message_id = $2
		AND EXISTS (SELECT 1 FROM outbox WHERE id = $2 AND kind = 'invitation' AND expires_at IS NOT NULL)`, []byte{}, m)
	if err != nil || n > 0 {
		return err
	}
	_, err = t.exec(`DELETE FROM outbox_content WHERE message_id = $1`, m)
	return err
}

func (s Outbox) Prune(ctx context.Context, before, now time.Time) error {
	return s.db.upkeep(ctx, func(t tx) error {
		if _, err := t.exec(`DELETE FROM outbox WHERE created_at < $1 AND status NOT IN ('waiting', 'queued')`, micros(before)); err != nil {
			return err
		}
		if _, err := t.exec(`UPDATE outbox SET status = 'expired' WHERE status IN ('waiting', 'failed') AND expires_at <= $1`, micros(now)); err != nil {
			return err
		}
		_, err := t.exec(`DELETE FROM outbox_content WHERE message_id IN (SELECT id FROM outbox WHERE expires_at <= $1)`, micros(now))
		return err
	})
}

func scanText(row scanner) (text string, err error) {
	err = row.Scan(&text)
	return text, err
}

// placeholders are n marks from $first on.
func placeholders(first, n int) string {
	marks := make([]string, n)
	for i := range marks {
		marks[i] = fmt.Sprintf("$%d", first+i)
	}
	return strings.Join(marks, ", ")
}

func anys(texts []string) []any {
	all := make([]any, len(texts))
	for i, text := range texts {
		all[i] = text
	}
	return all
}
