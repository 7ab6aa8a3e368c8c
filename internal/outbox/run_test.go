package outbox_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/migrated"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/kms"
	"github.com/gatehouse-dev/gatehouse/internal/letter"
	"github.com/gatehouse-dev/gatehouse/internal/mail"
	"github.com/gatehouse-dev/gatehouse/internal/outbox"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/store"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/smtpd"
)

// world is a database, a mail server and a clock that is moved by hand.
type world struct {
	t    *testing.T
	db   *store.DB
	smtp *smtpd.Server
	org  id.Organization
	mu   sync.Mutex
	at   time.Time
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at
}

func (w *world) forward(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = w.at.Add(d)
}

// each runs a test over both databases.
func each(t *testing.T, f func(*world)) {
	for name, url := range map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { return migrated.SQLite(t) },
		"postgres": func(t *testing.T) string { return migrated.Postgres(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f(open(t, url(t)))
		})
	}
}

func open(t *testing.T, url string) *world {
	w := &world{t: t, org: id.NewOrganization(), at: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), smtp: smtpd.Start(t, smtpd.Options{})}
	ring, err := kms.New(secret.New(base64.StdEncoding.EncodeToString(make([]byte, 32))))
	w.must(err)
	w.db, err = store.Open(t.Context(), url)
	w.must(err)
	t.Cleanup(func() { _ = w.db.Close() })
	_, err = w.db.Unlock(t.Context(), ring, w.at)
	w.must(err)
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// job is a node's.
func (w *world) job() *outbox.Job {
	sender, err := mail.New(mail.Config{Host: "localhost", Port: w.smtp.Port, From: "gate@example.com", RootCAs: w.smtp.Roots, Timeout: 10 * time.Second, Now: w.now})
	w.must(err)
	return &outbox.Job{Store: w.db.Outbox(), Sender: sender, Now: w.now, Log: slog.New(slog.DiscardHandler)}
}

func (w *world) queue(n int) (ids []id.Message) {
	w.t.Helper()
	var all []letter.Letter
	for i := range n {
		to, at := fmt.Sprintf("p%d@example.com", i), w.now().Add(time.Duration(i-n)*time.Millisecond)
		all = append(all, letter.Write(letter.Invitation, to, "", "Hello", "Acme", secret.New("https://gate.example.com/invite/sk-gate-link01-"+to),
			letter.Parts{Greeting: "Hello,", Button: "Accept", Why: "Why."}, at).In(w.org, "invite_x").Until(w.now().Add(21*24*time.Hour)))
		ids = append(ids, all[i].ID)
	}
	w.must(w.db.Outbox().Queue(w.t.Context(), all, audit.New(caller.OfSystem(w.org), w.now(), audit.InviteSent, "x", nil)))
	return ids
}

func (w *world) get(m id.Message) outbox.Message {
	w.t.Helper()
	found, _, err := w.db.Outbox().Message(w.t.Context(), w.org, m)
	w.must(err)
	return found
}

// drain runs batches until nothing is due.
func (w *world) drain(j *outbox.Job) {
	w.t.Helper()
	for {
		n, err := j.Batch(w.t.Context())
		w.must(err)
		if n == 0 {
			return
		}
	}
}

// perLetter is how often each letter arrived, by its Message-ID.
func (w *world) perLetter() map[string]int {
	got := map[string]int{}
	for _, m := range w.smtp.Messages() {
		got[m.Header.Get("Message-Id")]++
	}
	return got
}

func TestAServerThatIsDownLosesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		w.smtp.Stop()
		ids, j := w.queue(25), w.job()
		for range 40 { // ten minutes apart at most: well within the three days
			w.drain(j)
			w.forward(11 * time.Minute)
		}
		tried := 0
		for _, m := range ids {
			l := w.get(m)
			if l.Status != outbox.Waiting && l.Status != outbox.Queued {
				w.t.Fatalf("a letter is %s: %s", l.Status, l.LastError)
			}
			if l.LastError != "" {
				tried++
			}
		}
		if tried == 0 {
			w.t.Errorf("%d letters say why they were not sent", tried)
		}
		w.smtp.Resume(w.t)
		w.forward(11 * time.Minute)
		w.drain(j)
		if got := w.perLetter(); len(got) != 25 || len(w.smtp.Messages()) != 25 {
			w.t.Errorf("%d letters arrived, %d times", len(got), len(w.smtp.Messages()))
		}
		for _, m := range ids {
			if l := w.get(m); l.Status != outbox.Sent || l.Attempts != 1 {
				w.t.Errorf("afterwards: %+v", l)
			}
		}
	})
}

// dying is the store of a node that is killed after it has sent.
type dying struct{ outbox.Store }

var errKilled = errors.New("killed")

func (dying) Settle(context.Context, []outbox.Outcome, ...audit.Event) error { return errKilled }

func TestKilledBetweenSendingAndNotingIt(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		m := w.queue(1)[0]
		first := w.job()
		first.Store = dying{first.Store}
		if _, err := first.Batch(w.t.Context()); !errors.Is(err, errKilled) {
			w.t.Fatal(err)
		}
		second := w.job()
		w.drain(second)
		if got := len(w.smtp.Messages()); got != 1 || w.get(m).Status != outbox.Queued {
			w.t.Fatalf("sent %d times while the claim holds", got)
		}
		w.forward(6 * time.Minute)
		w.drain(second)
		if got := w.perLetter(); len(w.smtp.Messages()) != 2 || len(got) != 1 || w.get(m).Status != outbox.Sent {
			w.t.Errorf("arrived: %v, it is %s", got, w.get(m).Status)
		}
	})
}

func TestTwoNodesSendEachLetterOnce(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		w.queue(120)
		ctx, cancel := context.WithCancel(w.t.Context())
		var nodes sync.WaitGroup
		for range 2 {
			j := w.job()
			nodes.Go(func() { j.Run(ctx) })
			j.Wake()
		}
		w.smtp.Wait(w.t, 120)
		cancel()
		nodes.Wait()
		if got := w.perLetter(); len(got) != 120 || len(w.smtp.Messages()) != 120 {
			w.t.Errorf("%d letters arrived, %d times", len(got), len(w.smtp.Messages()))
		}
		if n := w.smtp.Connections(); n > 60 {
			w.t.Errorf("%d connections for 120 letters", n)
		}
		counts, err := w.db.Outbox().Counts(w.t.Context(), w.org)
		if err != nil || counts[outbox.Sent] != 120 {
			w.t.Errorf("noted: %v, %v", counts, err)
		}
	})
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	w := open(t, filepath.Join(t.TempDir(), "x.db"))
	ids, j := w.queue(3), w.job()
	w.smtp.Fail(smtpd.Fault{At: "rcpt", Code: 550, Text: "I do not like https://gate.example.com/invite/sk-gate-link01-p0@example.com here"},
		smtpd.Fault{At: "rcpt", Code: 450, Text: "busy"})
	w.drain(j)
	failed, busy, sent := w.get(ids[0]), w.get(ids[1]), w.get(ids[2])
	if failed.Status != outbox.Failed || strings.Contains(failed.LastError, "link01") || !strings.Contains(failed.LastError, "I do not like") {
		t.Errorf("refused for good: %+v", failed)
	}
	if wait := busy.NextAt.Sub(w.now()); busy.Status != outbox.Queued || wait < 45*time.Second || wait > time.Minute {
		t.Errorf("refused for now: %+v", busy)
	}
	if sent.Status != outbox.Sent {
		t.Errorf("the third: %+v", sent)
	}
	events, _, err := w.db.Activities().List(t.Context(), w.org, []audit.Type{audit.MailFailed}, 0, 10)
	if err != nil || len(events) != 1 || events[0].Target != string(ids[0]) || events[0].Detail["to"] != "p0@example.com" || strings.Contains(events[0].Detail["reason"], "link01") {
		t.Errorf("recorded: %+v, %v", events, err)
	}
	// It is tried again, less and less often, and given up after three days.
	began, attempts := w.now(), 1
	for w.get(ids[1]).Status == outbox.Queued {
		w.smtp.Fail(smtpd.Fault{At: "rcpt", Code: 450, Text: "busy"})
		w.forward(w.get(ids[1]).NextAt.Sub(w.now()))
		w.drain(j)
		if attempts++; attempts > 100 {
			t.Fatal("it is tried without end")
		}
	}
	if took := w.now().Sub(began); w.get(ids[1]).Status != outbox.Failed || took < 72*time.Hour || took > 77*time.Hour || attempts > 40 {
		t.Errorf("given up after %s and %d attempts: %+v", took, attempts, w.get(ids[1]))
	}
	w.must((&outbox.Service{Store: w.db.Outbox(), Now: w.now}).Retry(t.Context(), caller.OfOperator(w.org), w.org, ids[1]))
	w.drain(j)
	if got := w.get(ids[1]); got.Status != outbox.Sent {
		t.Errorf("sent again: %+v", got)
	}
}

func TestWhatHasExpiredIsNotSent(t *testing.T) {
	t.Parallel()
	w := open(t, filepath.Join(t.TempDir(), "x.db"))
	m := w.queue(1)[0]
	w.forward(21 * 24 * time.Hour)
	w.drain(w.job())
	if got := w.get(m); got.Status != outbox.Expired || len(w.smtp.Messages()) != 0 {
		t.Errorf("it is %s, and %d arrived", got.Status, len(w.smtp.Messages()))
	}
}

// TestAWrongConfigurationFailsNoLetter has a server that wants nothing from us.
func TestAWrongConfigurationFailsNoLetter(t *testing.T) {
	t.Parallel()
	w := open(t, filepath.Join(t.TempDir(), "x.db"))
	ids, j := w.queue(12), w.job()
	w.smtp.Fail(smtpd.Fault{At: "mail", Code: 550, Text: "not from you"})
	w.drain(j)
	for _, m := range ids {
		if got := w.get(m); got.Status == outbox.Failed || got.Status == outbox.Sent {
			t.Errorf("it is %s", got.Status)
		}
	}
	w.forward(15 * time.Second)
	w.drain(j)
	if got := len(w.smtp.Messages()); got != 12 {
		t.Errorf("%d arrived", got)
	}
}

// TestTheEndLeavesTheRestToOthers stops a node in the middle of a batch.
func TestTheEndLeavesTheRestToOthers(t *testing.T) {
	t.Parallel()
	w := open(t, filepath.Join(t.TempDir(), "x.db"))
	w.queue(10)
	j := w.job()
	ctx, cancel := context.WithCancel(t.Context())
	j.Sender = ending{j.Sender, cancel}
	if n, err := j.Batch(ctx); n != 10 || err != nil {
		t.Fatal(n, err)
	}
	if got := len(w.smtp.Messages()); got != 1 {
		t.Errorf("%d were sent", got)
	}
	w.drain(w.job())
	if got := w.perLetter(); len(got) != 10 || len(w.smtp.Messages()) != 10 {
		t.Errorf("%d arrived, %d times", len(got), len(w.smtp.Messages()))
	}
}

// ending is a sender in whose first conversation the end comes.
type ending struct {
	outbox.Sender
	end func()
}

func (e ending) Connect(ctx context.Context) (outbox.Conversation, error) {
	line, err := e.Sender.Connect(ctx)
	e.end()
	return line, err
}

func TestLinksAreShownToWhoMayHaveThem(t *testing.T) {
	t.Parallel()
	w := open(t, filepath.Join(t.TempDir(), "x.db"))
	reset := letter.Write("password_reset", "ada@example.com", "", "S", "", secret.New("https://x/sk-gate-reset"), letter.Parts{Button: "B"}, w.now())
	w.must(w.db.Outbox().Queue(t.Context(), []letter.Letter{reset}, audit.New(caller.OfSystem(""), w.now(), audit.PasswordResetAsked, "acct_x", nil)))
	s := &outbox.Service{Store: w.db.Outbox(), Now: w.now}
	owner := caller.Caller{Kind: caller.Member, Way: caller.Web, Organization: w.org, Member: "user_x", Rights: caller.All}
	if _, err := s.Reveal(t.Context(), owner, reset.ID); !fault.Is(err, fault.Denied) {
		t.Errorf("an owner sees the link: %v", err)
	}
	if _, err := s.Get(t.Context(), owner, "", reset.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("an owner sees the server's letter: %v", err)
	}
	link, err := s.Reveal(t.Context(), caller.OfOperator(""), reset.ID)
	if err != nil || link.Reveal() != "https://x/sk-gate-reset" {
		t.Errorf("the operator sees %v", err)
	}
	events, _, err := w.db.Activities().List(t.Context(), "", []audit.Type{audit.MailLinkShown}, 0, 10)
	if err != nil || len(events) != 1 || events[0].Target != string(reset.ID) {
		t.Errorf("recorded: %+v, %v", events, err)
	}
}
