package store

import (
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/kms"
	"github.com/gatehouse-dev/gatehouse/internal/letter"
	"github.com/gatehouse-dev/gatehouse/internal/outbox"
)

const bulkFrom = 20 // so many letters at once let others go first

// queueLetters puts letters into the outbox, in the transaction of what they
// tell of. Letters that are none are left out.
func (db *DB) queueLetters(t tx, letters ...letter.Letter) error {
	bulk := len(letters) >= bulkFrom
	var heads, contents rows
	for _, l := range letters {
		if l.None() {
			continue
		}
		at := micros(l.CreatedAt)
		heads.add(l.ID, l.Organization, string(l.Kind), l.To, l.ToName, l.Subject, l.About, bulk, string(outbox.Waiting), 0, at, "", at, maybeMicros(l.ExpiresAt))
		contents.add(l.ID, db.ring.Seal(outboxPlace(l.ID, "text"), []byte(l.Text.Reveal())), db.ring.Seal(outboxPlace(l.ID, "html"), []byte(l.HTML.Reveal())),
			db.ring.Seal(outboxPlace(l.ID, "link"), []byte(l.Link.Reveal())))
	}
	if err := t.put(`INSERT INTO outbox (id, organization_id, kind, address, name, subject, about, bulk, status, attempts, next_at, last_error, created_at, expires_at)
		VALUES `, heads, ``); err != nil {
		return err
	}
	return t.put(`INSERT INTO outbox_content (message_id, text, html, link) VALUES `, contents, ``)
}

// dropLetters takes back what is still to be sent about something: an
// invitation that was accepted or withdrawn, a password that was set.
func (db *DB) dropLetters(t tx, about string) error {
	if about == "" {
		return nil
	}
	if _, err := t.exec(`DELETE FROM outbox_content WHERE message_id IN (SELECT id FROM outbox WHERE about = $1)`, about); err != nil {
		return err
	}
	_, err := t.exec(`UPDATE outbox SET status = 'dropped' WHERE about = $1 AND status IN ('waiting', 'queued', 'failed')`, about)
	return err
}

func outboxPlace(m id.Message, column string) kms.Place {
	return kms.Place{Table: "outbox_content", Row: string(m), Column: column}
}
