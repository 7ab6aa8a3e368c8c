package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/letter"
	"github.com/gatehouse-dev/gatehouse/internal/oauth"
	"github.com/gatehouse-dev/gatehouse/internal/onboarding"
	"github.com/gatehouse-dev/gatehouse/internal/org"
)

// Setups is the onboarding.Store.
type Setups struct{ db *DB }

// Setups returns how far members' set-ups are.
func (db *DB) Setups() Setups { return Setups{db} }

var _ onboarding.Store = Setups{}

const setupTables = `FROM member_setup s JOIN member m ON m.id = s.member_id JOIN account a ON a.id = m.account_id
	WHERE s.organization_id = $1 `

const setupColumns = `SELECT s.organization_id, s.member_id, a.email, a.name, s.step, s.since, m.created_at, s.checked_at, s.installed_at,
	s.signed_in_at, s.answered_at, s.nudged_at, s.reported_at, s.report, s.claude_version ` + setupTables

func scanSetup(row scanner) (p onboarding.Progress, err error) {
	var since, joined int64
	var checked, installed, signedIn, answered, nudged, reported sql.NullInt64
	var report string
	if err := row.Scan(&p.Organization, &p.Member, &p.Email, &p.Name, &p.Step, &since, &joined, &checked, &installed,
		&signedIn, &answered, &nudged, &reported, &report, &p.Claude); err != nil {
		return p, err
	}
	p.Since, p.AcceptedAt = fromMicros(since), fromMicros(joined)
	p.CheckedAt, p.InstalledAt, p.SignedInAt, p.AnsweredAt = fromMaybe(checked), fromMaybe(installed), fromMaybe(signedIn), fromMaybe(answered)
	p.NudgedAt, p.ReportedAt = fromMaybe(nudged), fromMaybe(reported)
	if report != "" {
		err = json.Unmarshal([]byte(report), &p.Report)
	}
	return p, err
}

func (s Setups) Progress(ctx context.Context, o id.Organization, m id.Member) (onboarding.Progress, bool, error) {
	return first(queryAll(ctx, s.db.read, scanSetup, setupColumns+`AND s.member_id = $2`, o, m))
}

// setupsOf begins a query of active members with something to set up.
func setupsOf(columns string, o id.Organization, f onboarding.Filter) *query {
	q := selects(columns, o)
	q.add(` AND m.status = 'active'`)
	if len(f.Without) > 0 {
		q.add(` AND (s.step > 1 OR m.role NOT IN (`)
		for i, role := range f.Without {
			if i > 0 {
				q.add(`, `)
			}
			q.add(q.mark(role))
		}
		q.add(`))`)
	}
	return q
}

// waiting are those of them who are not done and whom the filter chooses.
func waiting(columns string, o id.Organization, f onboarding.Filter) *query {
	q := setupsOf(columns, o, f)
	q.add(` AND s.step < 5`) // as the index says it
	if f.Step != 0 {
		q.and(`s.step = %s`, int(f.Step))
	}
	if f.Sought != "" {
		q.ofPeople(`m.account_id`, f.Sought)
	}
	return q
}

// Counts takes those who do not count off from all: they are few, and all are
// counted in an index.
func (s Setups) Counts(ctx context.Context, o id.Organization, f onboarding.Filter) ([]onboarding.Count, error) {
	all, err := queryAll(ctx, s.db.read, scanCount, `SELECT step, COUNT(*) FROM member_setup WHERE organization_id = $1 GROUP BY step ORDER BY step`, o)
	if err != nil {
		return nil, err
	}
	off, err := s.off(ctx, o, f)
	if err != nil {
		return nil, err
	}
	var counts []onboarding.Count
	for _, c := range all {
		c.Members -= off[c.Step]
		if c.Members <= 0 {
			continue
		}
		if c.Oldest, err = s.oldest(ctx, o, f, c.Step); err != nil {
			return nil, err
		}
		counts = append(counts, c)
	}
	return counts, nil
}

// off are how many of each step do not count: they are not active, or have a
// role without models and have not begun. CROSS JOIN has SQLite begin with the
// few members; their two kinds are apart because an index leads to each.
func (s Setups) off(ctx context.Context, o id.Organization, f onboarding.Filter) (map[onboarding.Step]int, error) {
	const of = `SELECT s.step, COUNT(*) FROM member m CROSS JOIN member_setup s WHERE s.member_id = m.id AND m.organization_id = $1 AND m.status `
	q := selects(of+`IN (`, o)
	q.add(q.mark(org.Suspended) + `, ` + q.mark(org.Removed) + `) GROUP BY s.step`)
	if len(f.Without) > 0 {
		q.add(` UNION ALL ` + of + `= 'active' AND s.step = 1 AND m.role IN (`)
		for i, role := range f.Without {
			if i > 0 {
				q.add(`, `)
			}
			q.add(q.mark(role))
		}
		q.add(`) GROUP BY s.step`)
	}
	found, err := queryAll(ctx, s.db.read, scanCount, q.text.String(), q.args...)
	off := map[onboarding.Step]int{}
	for _, c := range found {
		off[c.Step] += c.Members
	}
	return off, err
}

func scanCount(row scanner) (c onboarding.Count, err error) {
	err = row.Scan(&c.Step, &c.Members)
	return c, err
}

// oldest is since when whoever has been at a step for longest is there.
func (s Setups) oldest(ctx context.Context, o id.Organization, f onboarding.Filter, step onboarding.Step) (time.Time, error) {
	q := setupsOf(`SELECT s.since FROM member_setup s JOIN member m ON m.id = s.member_id WHERE s.organization_id = $1`, o, f)
	q.and(`s.step = %s`, int(step))
	q.add(` ORDER BY s.since LIMIT 1`)
	var since int64
	if ok, err := s.db.queryRow(ctx, []any{&since}, q.text.String(), q.args...); err != nil || !ok {
		return time.Time{}, err
	}
	return fromMicros(since), nil
}

func (s Setups) List(ctx context.Context, o id.Organization, f onboarding.Filter) ([]onboarding.Progress, bool, error) {
	q := waiting(setupColumns, o, f)
	c := cursor{before: string(f.Before.Member), limit: f.Limit}
	place, order, to := f.After, `ASC`, `>`
	if c.before != "" {
		place, order, to = f.Before, `DESC`, `<`
	}
	if place.Member != "" || c.before == "" { // the place before everybody leads to the index of places
		q.and(`(s.since, s.member_id) `+to+` (%s, %s)`, max(micros(place.Since), 0), place.Member)
	}
	q.add(fmt.Sprintf(` ORDER BY s.since %[1]s, s.member_id %[1]s LIMIT %[2]s`, order, q.mark(f.Limit+1)))
	all, err := queryAll(ctx, s.db.read, scanSetup, q.text.String(), q.args...)
	page, more := turn(c, all)
	return page, more, err
}

// inPeace are the members of a filter who were not nudged since a moment.
func inPeace(columns string, o id.Organization, f onboarding.Filter, notSince time.Time) *query {
	q := waiting(columns, o, f)
	q.and(`(s.nudged_at IS NULL OR s.nudged_at <= %s)`, micros(notSince))
	return q
}

func (s Setups) Waiting(ctx context.Context, o id.Organization, f onboarding.Filter, notSince time.Time) (n int, err error) {
	q := inPeace(`SELECT COUNT(*) FROM member_setup s JOIN member m ON m.id = s.member_id WHERE s.organization_id = $1 `, o, f, notSince)
	_, err = s.db.queryRow(ctx, []any{&n}, q.text.String(), q.args...)
	return n, err
}

func (s Setups) ToNudge(ctx context.Context, o id.Organization, f onboarding.Filter, notSince time.Time, limit int) ([]onboarding.Progress, error) {
	q := inPeace(setupColumns, o, f, notSince)
	q.add(` ORDER BY s.since, s.member_id LIMIT ` + q.mark(limit))
	return queryAll(ctx, s.db.read, scanSetup, q.text.String(), q.args...)
}

func (s Setups) Code(ctx context.Context, o id.Organization, m id.Member) (c onboarding.Code, err error) {
	var code sql.NullString
	var expires sql.NullInt64
	_, err = s.db.queryRow(ctx, []any{&code, &expires}, `SELECT code, code_expires_at FROM member_setup WHERE organization_id = $1 AND member_id = $2`, o, m)
	return onboarding.Code{Text: code.String, ExpiresAt: fromMaybe(expires)}, err
}

func (s Setups) SaveCode(ctx context.Context, o id.Organization, m id.Member, c onboarding.Code) error {
	err := s.db.upkeep(ctx, func(t tx) error {
		return t.must(`UPDATE member_setup SET code = $1, code_expires_at = $2 WHERE organization_id = $3 AND member_id = $4`, c.Text, micros(c.ExpiresAt), o, m)
	})
	if s.db.dialect.isDuplicate(err) {
		err = fault.Wrap(fault.Conflict, err, "the code is in use")
	}
	return err
}

func (s Setups) MemberOfCode(ctx context.Context, code string, at time.Time) (o id.Organization, m id.Member, ok bool, err error) {
	ok, err = s.db.queryRow(ctx, []any{&o, &m}, `SELECT s.organization_id, s.member_id FROM member_setup s JOIN member m ON m.id = s.member_id
		WHERE s.code = $1 AND s.code_expires_at > $2 AND m.status = 'active'`, code, micros(at))
	return o, m, ok, err
}

func (s Setups) SaveReport(ctx context.Context, f onboarding.Finding, events ...audit.Event) error {
	raw, err := json.Marshal(f.Report)
	if err != nil {
		return err
	}
	save := func(t tx) error {
		if err := t.must(`UPDATE member_setup SET reported_at = $1, report = $2, claude_version = $3 WHERE organization_id = $4 AND member_id = $5`,
			micros(f.At), string(raw), f.Report.Claude, f.Organization, f.Member); err != nil {
			return err
		}
		if f.Report.Passed() {
			if err := t.noteSetup(`checked_at`, f.Member, f.At); err != nil {
				return err
			}
		}
		if !f.Report.Installed() {
			return nil
		}
		return t.noteSetup(`installed_at`, f.Member, f.At)
	}
	if len(events) == 0 {
		return s.db.upkeep(ctx, save)
	}
	return s.db.record(ctx, save, events...)
}

func (s Setups) Nudge(ctx context.Context, o id.Organization, at, notSince time.Time, all []onboarding.Nudge) error {
	// In one order everywhere, so that nodes cannot deadlock.
	all = slices.SortedFunc(slices.Values(all), func(x, y onboarding.Nudge) int { return strings.Compare(string(x.Member), string(y.Member)) })
	var letters []letter.Letter
	var events []audit.Event
	for _, n := range all {
		letters, events = append(letters, n.Letter), append(events, n.Event)
	}
	return s.db.record(ctx, func(t tx) error {
		for _, n := range all {
			changed, err := t.exec(`UPDATE member_setup SET nudged_at = $1 WHERE organization_id = $2 AND member_id = $3 AND step < 5
				AND (nudged_at IS NULL OR nudged_at <= $4)`, micros(at), o, n.Member, micros(notSince))
			if err == nil && changed == 0 {
				err = fault.New(fault.Conflict, "somebody else has just sent a reminder, or it is not needed any more")
			}
			if err != nil {
				return err
			}
		}
		return s.db.queueLetters(t, letters...)
	}, events...)
}

// insertSetup begins the set-up of a new member.
func (t tx) insertSetup(o id.Organization, m id.Member, at time.Time) error {
	_, err := t.exec(`INSERT INTO member_setup (member_id, organization_id, step, since, report, claude_version) VALUES ($1, $2, 1, $3, '', '')`, m, o, micros(at))
	return err
}

// nextStep is what a member does next, from the facts. See package onboarding.
const nextStep = `CASE WHEN answered_at IS NOT NULL THEN 5
	WHEN checked_at IS NULL AND signed_in_at IS NULL THEN 1
	WHEN installed_at IS NULL THEN 2
	WHEN signed_in_at IS NULL THEN 3
	ELSE 4 END`

// noteSetup notes a fact, named by its column, the first time it happens, and
// what follows from it.
func (t tx) noteSetup(fact string, m id.Member, at time.Time) error {
	n, err := t.exec(`UPDATE member_setup SET `+fact+` = $1 WHERE member_id = $2 AND `+fact+` IS NULL`, micros(at), m)
	if err != nil || n == 0 {
		return err
	}
	_, err = t.exec(`UPDATE member_setup SET step = `+nextStep+`, since = $1 WHERE member_id = $2 AND step <> `+nextStep, micros(at), m)
	return err
}

// noteSignIn notes what a new session shows. Claude Code signs in under a name
// of its own or under none; our own command shows nothing of it.
func (t tx) noteSignIn(client string, m id.Member, at time.Time) error {
	if client != oauth.ClientID {
		if err := t.noteSetup(`installed_at`, m, at); err != nil {
			return err
		}
	}
	return t.noteSetup(`signed_in_at`, m, at)
}
