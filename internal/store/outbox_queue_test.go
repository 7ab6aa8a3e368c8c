package store

import (
	"encoding/base64"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/kms"
	"github.com/gatehouse-dev/gatehouse/internal/letter"
	"github.com/gatehouse-dev/gatehouse/internal/outbox"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	testpostgres "github.com/gatehouse-dev/gatehouse/internal/testkit/postgres"
)

var outboxNow = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func openOutbox(t testing.TB, url string) *DB {
	t.Helper()
	ring, err := kms.New(secret.New(base64.StdEncoding.EncodeToString(make([]byte, 32))))
	if err != nil {
		t.Fatal(err)
	}
	db, err := Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if _, err := db.Unlock(t.Context(), ring, outboxNow); err != nil {
		t.Fatal(err)
	}
	return db
}

func aLetter(o id.Organization, i int) letter.Letter {
	to := fmt.Sprintf("person%d@team%d.example.com", i, i%97)
	return letter.Write(letter.Invitation, to, fmt.Sprintf("Person %d", i), "Olive invites you to Acme", "Acme", secret.New("https://gate.example.com/invite/x"),
		letter.Parts{Greeting: "Hello,", Button: "Accept", Why: "Olive invited you."}, outboxNow.Add(time.Duration(i)*time.Second)).In(o, fmt.Sprintf("invite_%d", i))
}

// TestDropLetters takes back what is still to be sent, and nothing else.
func TestDropLetters(t *testing.T) {
	t.Parallel()
	db := openOutbox(t, filepath.Join(t.TempDir(), "x.db"))
	o := id.NewOrganization()
	all := []letter.Letter{aLetter(o, 0), aLetter(o, 1), aLetter(o, 2).In(o, "invite_1")}
	e := func() audit.Event {
		return audit.New(caller.OfSystem(o), outboxNow, audit.InviteWithdrawn, "invite_1", nil)
	}
	if err := db.Outbox().Queue(t.Context(), all, e()); err != nil {
		t.Fatal(err)
	}
	if err := db.Outbox().Settle(t.Context(), []outbox.Outcome{{ID: all[2].ID, Status: outbox.Sent, At: outboxNow}}); err != nil {
		t.Fatal(err)
	}
	if err := db.record(t.Context(), func(t tx) error { return db.dropLetters(t, "invite_1") }, e()); err != nil {
		t.Fatal(err)
	}
	for i, want := range []outbox.Status{outbox.Waiting, outbox.Dropped, outbox.Sent} {
		got, _, err := db.Outbox().Message(t.Context(), o, all[i].ID)
		if err != nil || got.Status != want || got.Link.Empty() != (i > 0) {
			t.Errorf("letter %d: %s, link kept: %v, %v", i, got.Status, !got.Link.Empty(), err)
		}
	}
	claimed, err := db.Outbox().Claim(t.Context(), outboxNow.Add(time.Hour), outboxNow.Add(2*time.Hour), 10)
	if err != nil || len(claimed) != 1 || claimed[0].ID != all[0].ID {
		t.Errorf("to be sent: %v, %v", claimed, err)
	}
}

// TestWhatDoesNotOpenIsNotInTheWay harms letters as somebody with the database
// could: the others are sent all the same.
func TestWhatDoesNotOpenIsNotInTheWay(t *testing.T) {
	t.Parallel()
	db := openOutbox(t, filepath.Join(t.TempDir(), "x.db"))
	o := id.NewOrganization()
	all := []letter.Letter{aLetter(o, 0), aLetter(o, 1), aLetter(o, 2)}
	if err := db.Outbox().Queue(t.Context(), all, audit.New(caller.OfSystem(o), outboxNow, audit.InviteSent, "x", nil)); err != nil {
		t.Fatal(err)
	}
	err := db.upkeep(t.Context(), func(t tx) error { // one letter's text in another's place, and one without any
		if err := t.must(`UPDATE outbox_content SET text = (SELECT text FROM outbox_content WHERE message_id = $1) WHERE message_id = $2`, all[0].ID, all[1].ID); err != nil {
			return err
		}
		return t.must(`DELETE FROM outbox_content WHERE message_id = $1`, all[2].ID)
	})
	if err != nil {
		t.Fatal(err)
	}
	claimed, err := db.Outbox().Claim(t.Context(), outboxNow.Add(time.Hour), outboxNow.Add(2*time.Hour), 10)
	if err != nil || len(claimed) != 3 || claimed[0].Unreadable != nil || claimed[1].Unreadable == nil || claimed[2].Unreadable == nil {
		t.Errorf("claimed: %v, %v", claimed, err)
	}
}

// BenchmarkOutbox lists 100,000 letters, and queues 5,000, on both databases.
func BenchmarkOutbox(b *testing.B) {
	for name, url := range map[string]func() string{
		"sqlite":   func() string { return filepath.Join(b.TempDir(), "x.db") },
		"postgres": func() string { return testpostgres.New(b) },
	} {
		b.Run(name, func(b *testing.B) {
			db := openOutbox(b, url())
			o := id.NewOrganization()
			queue := func(from, n int) {
				var all []letter.Letter
				for i := range n {
					all = append(all, aLetter(o, from+i))
				}
				if err := db.upkeep(b.Context(), func(t tx) error { return db.queueLetters(t, all...) }); err != nil {
					b.Fatal(err)
				}
			}
			for i := range 20 {
				queue(i*5000, 5000)
			}
			if name == "postgres" { // as its own housekeeping would have by then
				if _, err := db.write.Exec(`ANALYZE outbox`); err != nil {
					b.Fatal(err)
				}
			}
			middle, _, err := db.Outbox().Messages(b.Context(), outbox.Filter{Organization: o, Sought: "person50000@", Limit: 1})
			if err != nil || len(middle) != 1 {
				b.Fatal(middle, err)
			}
			b.Run("queue5000", func(b *testing.B) {
				for i := range b.N {
					queue(1_000_000+i*5000, 5000)
				}
			})
			for what, f := range map[string]outbox.Filter{
				"first": {}, "deep": {After: middle[0].ID}, "back": {Before: middle[0].ID}, "waiting": {Statuses: []outbox.Status{outbox.Waiting}},
				"failed": {Statuses: []outbox.Status{outbox.Failed}}, "domain": {Sought: "team13"}, "one": {Sought: "person3@"}, "nobody": {Sought: "nobody@"},
			} {
				b.Run("list-"+what, func(b *testing.B) {
					f.Organization, f.Limit = o, 50
					for range b.N {
						if _, _, err := db.Outbox().Messages(b.Context(), f); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
			b.Run("counts", func(b *testing.B) {
				for range b.N {
					if _, err := db.Outbox().Counts(b.Context(), o); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run("claim-nothing", func(b *testing.B) {
				for range b.N {
					if _, err := db.Outbox().Claim(b.Context(), outboxNow.Add(-time.Hour), outboxNow, 10); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}
