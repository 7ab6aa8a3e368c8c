package storetest

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/letter"
	"github.com/gatehouse-dev/gatehouse/internal/outbox"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

func (w *World) letter(kind letter.Kind, to string, at time.Time) letter.Letter {
	return letter.Write(kind, to, "Ada Löve", "Subject", "Örg", secret.New("https://x.example/"+to), letter.Parts{Greeting: "Hello", Button: "Go", Why: "Why."}, at).In(w.org, "about_"+to)
}

func (w *World) queue(t testing.TB, letters ...letter.Letter) {
	t.Helper()
	must(t, w.Outbox().Queue(t.Context(), letters, w.event(audit.InviteSent)))
}

func letters(t *testing.T, w *World) {
	ctx, s := t.Context(), w.Outbox()
	l := w.letter(letter.Invitation, "ada@example.com", w.now).Until(w.now.Add(time.Hour))
	w.queue(t, l, letter.Letter{})
	want := outbox.Message{ID: l.ID, Organization: w.org, Kind: letter.Invitation, To: "ada@example.com", ToName: "Ada Löve", Subject: "Subject", About: "about_ada@example.com",
		Status: outbox.Waiting, NextAt: w.now, CreatedAt: w.now, ExpiresAt: w.now.Add(time.Hour)}
	got := one(s.Message(ctx, w.org, l.ID))
	if got.Link.Reveal() != "https://x.example/ada@example.com" {
		t.Error("the link is not what was queued")
	}
	got.Link = secret.Text{}
	same(t, "a queued letter", got, want)
	if _, ok, err := s.Message(ctx, id.NewOrganization(), l.ID); ok || err != nil {
		t.Errorf("a foreign letter is found: %v, %v", ok, err)
	}

	claimed, err := s.Claim(ctx, w.now, w.now.Add(time.Minute), 10)
	must(t, err)
	if len(claimed) != 1 || claimed[0].Unreadable != nil || claimed[0].Text.Reveal() != l.Text.Reveal() || claimed[0].HTML.Reveal() != l.HTML.Reveal() || claimed[0].Attempts != 1 || !claimed[0].TriedAt.Equal(w.now) {
		t.Fatalf("claimed: %+v", claimed)
	}
	if again, err := s.Claim(ctx, w.now, w.now.Add(time.Minute), 10); err != nil || len(again) != 0 {
		t.Fatalf("claimed twice: %+v, %v", again, err)
	}
	late := w.now.Add(2 * time.Minute)
	again, err := s.Claim(ctx, late, late.Add(time.Minute), 10)
	must(t, err)
	if len(again) != 1 || again[0].Attempts != 2 || !again[0].TriedAt.Equal(w.now) {
		t.Fatalf("after the claim has run out: %+v", again)
	}
	// The first claimer comes late: what it says counts for nothing, unless it sent.
	must(t, s.Settle(ctx, []outbox.Outcome{{ID: l.ID, Attempt: 1, Status: outbox.Failed, LastError: "old", At: late}}))
	same(t, "after an old failure", one(s.Message(ctx, w.org, l.ID)).Status, outbox.Queued)
	must(t, s.Settle(ctx, []outbox.Outcome{{ID: l.ID, Attempt: 1, Status: outbox.Sent, At: late}}))
	must(t, s.Settle(ctx, []outbox.Outcome{{ID: l.ID, Attempt: 2, Status: outbox.Failed, LastError: "new", At: late}}))
	got = one(s.Message(ctx, w.org, l.ID))
	if got.Status != outbox.Sent || !got.SentAt.Equal(late) || got.LastError != "" || got.Link.Empty() {
		t.Errorf("a sent invitation: %+v", got)
	}
	must(t, s.Prune(ctx, w.now.Add(-time.Hour), w.now.Add(2*time.Hour)))
	if got = one(s.Message(ctx, w.org, l.ID)); !got.Link.Empty() || got.Status != outbox.Sent {
		t.Errorf("after it expired: %+v", got)
	}
	must(t, s.Prune(ctx, w.now.Add(time.Second), w.now.Add(2*time.Hour)))
	if _, ok, err := s.Message(ctx, w.org, l.ID); ok || err != nil {
		t.Errorf("it is kept for good: %v, %v", ok, err)
	}
}

func letterRetries(t *testing.T, w *World) {
	ctx, s := t.Context(), w.Outbox()
	l := w.letter("password_reset", "ada@example.com", w.now)
	w.queue(t, l)
	kind(t, "retrying what has not failed", s.Retry(ctx, w.org, l.ID, w.now, w.event(audit.MailRetried)), fault.Conflict)
	_, err := s.Claim(ctx, w.now, w.now.Add(time.Minute), 10)
	must(t, err)
	must(t, s.Settle(ctx, []outbox.Outcome{{ID: l.ID, Attempt: 1, Status: outbox.Queued, LastError: "busy", At: w.now, NextAt: w.now.Add(time.Hour), Uncounted: true}}))
	if got := one(s.Message(ctx, w.org, l.ID)); got.Attempts != 0 || got.LastError != "busy" || !got.NextAt.Equal(w.now.Add(time.Hour)) {
		t.Errorf("put off: %+v", got)
	}
	later := w.now.Add(time.Hour)
	_, err = s.Claim(ctx, later, later.Add(time.Minute), 10)
	must(t, err)
	must(t, s.Settle(ctx, []outbox.Outcome{{ID: l.ID, Attempt: 1, Status: outbox.Failed, LastError: "no such user", At: later}}, w.event(audit.MailFailed)))
	same(t, "counts", one2(s.Counts(ctx, w.org)), outbox.Counts{outbox.Waiting: 0, outbox.Queued: 0, outbox.Sent: 0, outbox.Failed: 1, outbox.Expired: 0, outbox.Dropped: 0})
	kind(t, "retrying a foreign letter", s.Retry(ctx, id.NewOrganization(), l.ID, later, w.event(audit.MailRetried)), fault.Conflict)
	must(t, s.Retry(ctx, w.org, l.ID, later, w.event(audit.MailRetried)))
	claimed, err := s.Claim(ctx, later, later.Add(time.Minute), 10)
	if err != nil || len(claimed) != 1 || claimed[0].Attempts != 1 || !claimed[0].TriedAt.Equal(later) {
		t.Fatalf("after a retry: %+v, %v", claimed, err)
	}
	must(t, s.Settle(ctx, []outbox.Outcome{{ID: l.ID, Attempt: 1, Status: outbox.Sent, At: later}}))
	if got := one(s.Message(ctx, w.org, l.ID)); !got.Link.Empty() {
		t.Error("the link of a letter that was sent is kept")
	}
}

func letterLists(t *testing.T, w *World) {
	ctx, s := t.Context(), w.Outbox()
	var many []letter.Letter
	for i := range 250 {
		many = append(many, w.letter("notice", fmt.Sprintf("P%03d_%%@example.com", i), w.now.Add(time.Duration(i)*time.Second)))
	}
	w.queue(t, many...)
	foreign := w.letter("notice", "x@example.com", w.now)
	foreign.Organization = id.NewOrganization()
	server := w.letter("password_reset", "y@example.com", w.now)
	server.Organization = ""
	w.queue(t, foreign, server)
	var seen []string
	f := outbox.Filter{Organization: w.org, Limit: 100}
	for more := true; more; {
		page, further, err := s.Messages(ctx, f)
		must(t, err)
		for _, m := range page {
			seen = append(seen, m.To)
		}
		f.After, more = page[len(page)-1].ID, further
	}
	if len(seen) != 250 || seen[0] != many[249].To || seen[249] != many[0].To {
		t.Errorf("%d letters were listed", len(seen))
	}
	page, more, err := s.Messages(ctx, outbox.Filter{Organization: w.org, Before: many[100].ID, Limit: 10})
	if err != nil || !more || len(page) != 10 || page[9].ID != many[101].ID {
		t.Errorf("before a letter: %d, %v, %v", len(page), more, err)
	}
	for sought, want := range map[string]int{"p003_%": 1, "löve": 100, "%": 100, "_": 100, "p__": 0, "nobody": 0} {
		page, _, err := s.Messages(ctx, outbox.Filter{Organization: w.org, Sought: sought, Limit: 100})
		if err != nil || len(page) != want {
			t.Errorf("%q: %d letters, %v", sought, len(page), err)
		}
	}
	everywhere, _, err := s.Messages(ctx, outbox.Filter{Everywhere: true, Statuses: []outbox.Status{outbox.Waiting}, Sought: "@example.com", Limit: 300})
	if err != nil || len(everywhere) != 252 {
		t.Errorf("everywhere: %d, %v", len(everywhere), err)
	}
	// One alone goes before many.
	claimed, err := s.Claim(ctx, w.now.Add(time.Hour), w.now.Add(2*time.Hour), 2)
	if err != nil || len(claimed) != 2 || strings.HasPrefix(claimed[0].To, "P") || strings.HasPrefix(claimed[1].To, "P") {
		t.Errorf("the first to be sent: %+v, %v", claimed, err)
	}
}

// letterClaims has several nodes claim at once: each letter is one's alone.
func letterClaims(t *testing.T, w *World) {
	var many []letter.Letter
	for i := range 200 {
		many = append(many, w.letter("notice", fmt.Sprintf("p%d@example.com", i), w.now))
	}
	w.queue(t, many...)
	var mu sync.Mutex
	got := map[id.Message]int{}
	var nodes sync.WaitGroup
	for range 4 {
		nodes.Go(func() {
			for idle := 0; idle < 3; {
				claimed, err := w.Outbox().Claim(t.Context(), w.now, w.now.Add(time.Hour), 7)
				if err != nil {
					t.Error(err)
					return
				}
				if len(claimed) == 0 {
					idle++
				}
				mu.Lock()
				for _, l := range claimed {
					got[l.ID]++
				}
				mu.Unlock()
			}
		})
	}
	nodes.Wait()
	for _, l := range many {
		if got[l.ID] != 1 {
			t.Fatalf("a letter was claimed %d times; %d of %d were", got[l.ID], len(got), len(many))
		}
	}
}

func one2[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
