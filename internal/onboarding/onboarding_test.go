package onboarding_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/migrated"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/account"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/checkup"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/jwks"
	"github.com/gatehouse-dev/gatehouse/internal/kms"
	"github.com/gatehouse-dev/gatehouse/internal/onboarding"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/session"
	"github.com/gatehouse-dev/gatehouse/internal/store"
	"github.com/gatehouse-dev/gatehouse/internal/usage"
	"github.com/gatehouse-dev/gatehouse/internal/workspace"
)

// world is the room over a real database, with an organization in it.
type world struct {
	*onboarding.Service
	t        testing.TB
	db       *store.DB
	orgs     *org.Service
	sessions *session.Service
	at       time.Time
	owner    org.Member
	org      id.Organization
}

func each(t *testing.T, f func(t *testing.T, w *world)) {
	for name, fresh := range map[string]func(testing.TB) string{
		"sqlite":   migrated.SQLite,
		"postgres": migrated.Postgres,
	} {
		t.Run(name, func(t *testing.T) { t.Parallel(); f(t, open(t, fresh(t))) })
	}
}

func open(t testing.TB, url string) *world {
	t.Helper()
	ctx := context.Background()
	w := &world{t: t, at: time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)}
	now := func() time.Time { return w.at }
	var err error
	w.db, err = store.Open(ctx, url)
	w.must(err)
	t.Cleanup(func() { _ = w.db.Close() })
	ring, err := kms.New(secret.New(base64.StdEncoding.EncodeToString(make([]byte, 32))))
	w.must(err)
	instance, err := w.db.Unlock(ctx, ring, w.at)
	w.must(err)
	keys, err := jwks.Load(ctx, w.db.SigningKeys(), jwks.EdDSA, now)
	w.must(err)
	w.orgs = &org.Service{Store: w.db.Orgs(), Now: now}
	w.sessions = session.New(session.Config{Store: w.db.Sessions(), Members: w.db.Orgs(), Workspaces: w.db.Workspaces(), ClaudeCode: &workspace.Service{Store: w.db.Workspaces(), Now: now}, Keys: keys, Issuer: "https://gate.example", RefreshKey: instance.RefreshKey, Now: now})
	w.Service = onboarding.New(onboarding.Config{Store: w.db.Setups(), Members: w.db.Orgs(), PublicURL: "https://gate.example", Now: now})
	w.owner, err = account.New(w.db.Accounts(), w.db.Orgs(), now).Found(ctx, caller.OfOperator(""), account.First{Organization: "Acme", Email: "olive@acme.example", Name: "Olive"})
	w.must(err)
	w.org = w.owner.Organization
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) add(email string, role access.Role) org.Member {
	w.t.Helper()
	w.at = w.at.Add(time.Minute)
	m, err := w.orgs.Add(context.Background(), caller.OfOperator(w.org), w.org, org.NewMember{Email: email, Name: "Name of " + email, Role: role})
	w.must(err)
	return m
}

func (w *world) step(m org.Member) onboarding.Step {
	w.t.Helper()
	p, err := w.Mine(context.Background(), m.Caller(caller.Web))
	w.must(err)
	return p.Step
}

func (w *world) signIn(m org.Member, client string) {
	w.t.Helper()
	_, err := w.sessions.Start(context.Background(), m.Caller(caller.Session), session.Device{ClientID: client, Name: "maple", System: "linux/amd64"})
	w.must(err)
}

func (w *world) asked(m org.Member, status int) {
	w.t.Helper()
	w.must(w.db.Ledger().Append(context.Background(), []usage.Entry{{Kind: usage.Settled, Request: id.NewRequest(), At: w.at, Organization: w.org, Member: m.ID,
		Model: "m", Status: status, Ending: usage.Complete, PriceVersion: "test"}}))
}

func report(claude string, checks ...checkup.Check) checkup.Report {
	return checkup.Report{Program: "0.1.0", System: "linux", Arch: "amd64", Claude: claude, Checks: append(checks, checkup.Check{Name: checkup.System, State: checkup.OK})}
}

func kind(t testing.TB, what string, err error, want fault.Kind) {
	t.Helper()
	if !fault.Is(err, want) {
		t.Errorf("%s: %v, want the kind %s", what, err, want)
	}
}

// TestTheSteps goes the ways through the state machine.
func TestTheSteps(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		bad := report("2.1.197", checkup.Check{Name: checkup.Server, State: checkup.Fail, Code: "unreachable"})
		missing := report("", checkup.Check{Name: checkup.Claude, State: checkup.Fail, Code: "not_found"})
		for i, way := range []struct {
			name string
			acts []any // a report, a client that signs in, a status that is answered
			want []onboarding.Step
		}{
			{"as the page leads", []any{missing, report("2.1.197"), "gatehouse", 200}, []onboarding.Step{onboarding.Install, onboarding.SignIn, onboarding.Request, onboarding.Done}},
			{"with the client's own sign-in", []any{"claude-code", 200}, []onboarding.Step{onboarding.Request, onboarding.Done}},
			{"with a client without a name", []any{""}, []onboarding.Step{onboarding.Request}},
			{"signed in before Claude Code is there", []any{"gatehouse", report("2.1.197")}, []onboarding.Step{onboarding.Install, onboarding.Request}},
			{"with a key alone", []any{200}, []onboarding.Step{onboarding.Done}},
			{"a machine that is not fit", []any{bad, missing, report("2.1.197")}, []onboarding.Step{onboarding.Check, onboarding.SignIn, onboarding.SignIn}},
			{"a refusal is no answer", []any{"claude-code", 429, 500, 200}, []onboarding.Step{onboarding.Request, onboarding.Request, onboarding.Request, onboarding.Done}},
			{"done is done", []any{200, bad}, []onboarding.Step{onboarding.Done, onboarding.Done}},
		} {
			m := w.add(fmt.Sprintf("m%d@acme.example", i), access.Developer)
			if got := w.step(m); got != onboarding.Check {
				t.Errorf("%s: begins at %s", way.name, got)
			}
			for j, act := range way.acts {
				w.at = w.at.Add(time.Hour)
				switch a := act.(type) {
				case checkup.Report:
					_, err := w.Report(ctx, m.Caller(caller.Session), a)
					w.must(err)
				case string:
					w.signIn(m, a)
				case int:
					w.asked(m, a)
				}
				p, err := w.Mine(ctx, m.Caller(caller.Web))
				w.must(err)
				if p.Step != way.want[j] {
					t.Errorf("%s: at %s after act %d, not %s", way.name, p.Step, j, way.want[j])
				}
				if moved := j == 0 || way.want[j] != way.want[j-1]; moved && p.Step != onboarding.Check && !p.Since.Equal(w.at) {
					t.Errorf("%s: after act %d since %s, not %s", way.name, j, p.Since, w.at)
				}
			}
		}
	})
}

func TestCodes(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		m, other := w.add("dev@acme.example", access.Developer), w.add("other@acme.example", access.Developer)
		code, err := w.Code(ctx, m.Caller(caller.Web))
		w.must(err)
		again, err := w.Code(ctx, m.Caller(caller.Web))
		w.must(err)
		if code != again || len(code.Text) != 8 || !code.ExpiresAt.Equal(w.at.Add(7*24*time.Hour)) {
			t.Errorf("codes: %+v, %+v", code, again)
		}
		theirs, err := w.Code(ctx, other.Caller(caller.Web))
		w.must(err)
		if theirs.Text == code.Text {
			t.Error("two members have one code")
		}
		typed := strings.ToLower(code.Text[:4] + "-" + code.Text[4:])
		step, err := w.ReportByCode(ctx, typed, "192.0.2.1", report("2.1.197"))
		w.must(err)
		if step != onboarding.SignIn || w.step(m) != onboarding.SignIn || w.step(other) != onboarding.Check {
			t.Errorf("the report was for %s, and they are at %s and %s", step, w.step(m), w.step(other))
		}
		for _, wrong := range []string{"", "BCDFGHJK", "BCDF", strings.Repeat("B", 100), "AEIOUAEI", "'; DROP"} {
			_, err := w.ReportByCode(ctx, wrong, "", report("2.1.197"))
			kind(t, "the code "+wrong, err, fault.NotFound)
		}
		// A code that nears its end is replaced, and the old one ends then.
		w.at = w.at.Add(6*24*time.Hour + time.Minute)
		fresh, err := w.Code(ctx, m.Caller(caller.Web))
		w.must(err)
		if fresh.Text == code.Text {
			t.Error("the code lives on")
		}
		_, err = w.ReportByCode(ctx, code.Text, "", report(""))
		kind(t, "a replaced code", err, fault.NotFound)
		w.at = w.at.Add(7 * 24 * time.Hour)
		_, err = w.ReportByCode(ctx, fresh.Text, "", report(""))
		kind(t, "an expired code", err, fault.NotFound)
		fresh, err = w.Code(ctx, m.Caller(caller.Web))
		w.must(err)
		w.must(w.orgs.Suspend(ctx, w.owner.Caller(caller.Web), w.org, m.ID))
		_, err = w.ReportByCode(ctx, fresh.Text, "", report(""))
		kind(t, "the code of a suspended member", err, fault.NotFound)
	})
}

func TestReportsAreRecordedWhenTheySaySomethingNew(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		m := w.add("dev@acme.example", access.Developer)
		who := m.Caller(caller.Session)
		warned := report("2.1.197", checkup.Check{Name: checkup.Credentials, State: checkup.Warn, Code: "outranked", Items: []string{"ANTHROPIC_API_KEY"}})
		for range 3 {
			_, err := w.Report(ctx, who, warned)
			w.must(err)
		}
		_, err := w.Report(ctx, who, report("2.1.198"))
		w.must(err)
		events, _, err := w.db.Activities().List(ctx, w.org, []audit.Type{audit.SetupReported}, 0, 10)
		w.must(err)
		if len(events) != 2 || events[1].Detail["problems"] != "credentials:outranked" || events[0].Actor != string(m.ID) {
			t.Errorf("recorded: %+v", events)
		}
		p, err := w.Of(ctx, w.owner.Caller(caller.Web), w.org, m.ID)
		w.must(err)
		if p.Claude != "2.1.198" || !p.ReportedAt.Equal(w.at) || len(p.Report.Problems()) != 0 {
			t.Errorf("kept: %+v", p)
		}
		for range 40 {
			if _, err = w.Report(ctx, who, warned); err != nil {
				break
			}
		}
		kind(t, "reports without end", err, fault.RateLimited)
	})
}

func TestFunnelAndList(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ctx, who := context.Background(), w.owner.Caller(caller.Web)
		var all []org.Member
		for i := range 7 {
			all = append(all, w.add(fmt.Sprintf("m%d@acme.example", i), access.Developer))
		}
		w.add("billing@acme.example", access.Billing)
		w.add("reader@acme.example", access.User)
		w.signIn(all[0], "claude-code")
		w.asked(all[1], 200)
		w.must(w.orgs.Suspend(ctx, who, w.org, all[2].ID))
		counts, err := w.Funnel(ctx, who, w.org)
		w.must(err)
		got := map[onboarding.Step]int{}
		for _, c := range counts {
			got[c.Step] = c.Members
		}
		if len(counts) != 5 || got[onboarding.Check] != 5 || got[onboarding.Request] != 1 || got[onboarding.Done] != 1 || got[onboarding.Install] != 0 {
			t.Errorf("the funnel: %+v", counts)
		}
		if !counts[0].Oldest.Equal(w.owner.CreatedAt) {
			t.Errorf("the oldest waits since %s, not %s", counts[0].Oldest, w.owner.CreatedAt)
		}
		// Every page, forwards and back, shows everybody once.
		var forth, back []id.Member
		f := onboarding.Filter{Limit: 2}
		for more := true; more; {
			var page []onboarding.Progress
			page, more, err = w.List(ctx, who, w.org, f)
			w.must(err)
			for _, p := range page {
				forth = append(forth, p.Member)
			}
			f.After = page[len(page)-1].Place()
		}
		last, err := w.Of(ctx, who, w.org, forth[len(forth)-1])
		w.must(err)
		back, f = []id.Member{last.Member}, onboarding.Filter{Limit: 2, Before: last.Place()}
		for more := true; more; {
			var page []onboarding.Progress
			page, more, err = w.List(ctx, who, w.org, f)
			w.must(err)
			for _, p := range slices.Backward(page) {
				back = append(back, p.Member)
			}
			f.Before = page[0].Place()
		}
		slices.Reverse(back)
		if len(forth) != 6 || !slices.Equal(forth, back) || forth[0] != w.owner.ID || forth[5] != all[0].ID {
			t.Errorf("forth %v, back %v", forth, back)
		}
		find := func(f onboarding.Filter) int {
			f.Limit = 50
			page, _, err := w.List(ctx, who, w.org, f)
			w.must(err)
			return len(page)
		}
		if a, b, c := find(onboarding.Filter{Step: onboarding.Request}), find(onboarding.Filter{Sought: "M3@"}), find(onboarding.Filter{Sought: "100%_"}); a != 1 || b != 1 || c != 0 {
			t.Errorf("found %d, %d, %d", a, b, c)
		}
		_, _, err = w.List(ctx, who, w.org, onboarding.Filter{Step: onboarding.Done, Limit: 5})
		kind(t, "a list of those who are done", err, fault.Invalid)
	})
}

func TestNudges(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ctx, who := context.Background(), w.owner.Caller(caller.Web)
		a, b, done := w.add("a@acme.example", access.Developer), w.add("b@acme.example", access.Developer), w.add("done@acme.example", access.Developer)
		w.asked(done, 200)
		w.must(w.Nudge(ctx, who, w.org, a.ID))
		kind(t, "twice a day", w.Nudge(ctx, who, w.org, a.ID), fault.Conflict)
		kind(t, "who is done", w.Nudge(ctx, who, w.org, done.ID), fault.Conflict)
		n, err := w.Waiting(ctx, who, w.org, onboarding.Filter{})
		w.must(err)
		sent, err := w.NudgeAll(ctx, who, w.org, onboarding.Filter{})
		w.must(err)
		if n != 2 || sent != 2 { // b and the owner
			t.Errorf("%d would be reminded, %d were", n, sent)
		}
		if sent, err = w.NudgeAll(ctx, who, w.org, onboarding.Filter{}); sent != 0 || err != nil {
			t.Errorf("again: %d, %v", sent, err)
		}
		w.at = w.at.Add(onboarding.NudgeEvery)
		if n, err = w.Waiting(ctx, who, w.org, onboarding.Filter{Sought: "b@"}); n != 1 || err != nil {
			t.Errorf("after a day: %d, %v", n, err)
		}
		events, _, err := w.db.Activities().List(ctx, w.org, []audit.Type{audit.MemberNudged}, 0, 10)
		w.must(err)
		if len(events) != 3 || events[2].Target != string(a.ID) || events[2].Detail["step"] != "check" {
			t.Errorf("recorded: %+v", events)
		}
		w.must(w.orgs.Suspend(ctx, who, w.org, b.ID))
		kind(t, "who is suspended", w.Nudge(ctx, who, w.org, b.ID), fault.Conflict)
	})
}

// TestNudgingAtOnce has several admins press the same button.
func TestNudgingAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		m := w.add("a@acme.example", access.Developer)
		var wait sync.WaitGroup
		errs := make([]error, 8)
		for i := range errs {
			wait.Go(func() { errs[i] = w.Nudge(context.Background(), w.owner.Caller(caller.Web), w.org, m.ID) })
		}
		wait.Wait()
		sent := 0
		for _, err := range errs {
			if err == nil {
				sent++
			} else {
				kind(t, "who was late", err, fault.Conflict)
			}
		}
		if sent != 1 {
			t.Errorf("%d reminders were sent", sent)
		}
	})
}

func TestForeignersAndRoles(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		m := w.add("dev@acme.example", access.Developer)
		foreign := w.owner.Caller(caller.Web)
		foreign.Organization = id.NewOrganization()
		_, err := w.Of(ctx, foreign, w.org, m.ID)
		kind(t, "a foreigner", err, fault.NotFound)
		_, err = w.Of(ctx, foreign, foreign.Organization, m.ID)
		kind(t, "a foreign member in one's own organization", err, fault.NotFound)
		kind(t, "a foreign member to be reminded", w.Nudge(ctx, foreign, foreign.Organization, m.ID), fault.NotFound)
		_, _, err = w.List(ctx, m.Caller(caller.Web), w.org, onboarding.Filter{Limit: 1})
		kind(t, "a developer who looks", err, fault.Denied)
		kind(t, "a developer who reminds", w.Nudge(ctx, m.Caller(caller.Web), w.org, w.owner.ID), fault.Denied)
		key := caller.Caller{Kind: caller.Member, Way: caller.Key, Organization: w.org, Member: m.ID, Rights: access.KeyRights(access.Developer.Rights(), caller.OwnKeys)}
		_, err = w.Report(ctx, key, report(""))
		kind(t, "a report with an API key", err, fault.Denied)
		operator := caller.OfOperator(w.org)
		_, err = w.Code(ctx, operator)
		kind(t, "a code for nobody", err, fault.NotFound)
	})
}
