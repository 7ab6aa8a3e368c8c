package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/invite"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// Invites is the invite.Store.
type Invites struct{ db *DB }

// Invites returns the invitations.
func (db *DB) Invites() Invites { return Invites{db} }

var _ invite.Store = Invites{}

func (s Invites) Organization(ctx context.Context, o id.Organization) (org.Organization, bool, error) {
	return s.db.Orgs().Organization(ctx, o)
}

func (s Invites) Member(ctx context.Context, o id.Organization, m id.Member) (org.Member, bool, error) {
	return s.db.Orgs().Member(ctx, o, m)
}

func (s Invites) Groups(ctx context.Context, o id.Organization) ([]invite.Named, error) {
	return queryAll(ctx, s.db.read, scanNamed, `SELECT g.id, g.name, COALESCE((SELECT string_agg(r.permissions, ' ') FROM group_role x
		JOIN role r ON r.id = x.role_id WHERE x.group_id = g.id), '') FROM member_group g WHERE g.organization_id = $1 ORDER BY g.name, g.id`, o)
}

func (s Invites) Workspaces(ctx context.Context, o id.Organization) ([]invite.Named, error) {
	return queryAll(ctx, s.db.read, scanNamed, `SELECT id, name, '' FROM workspace WHERE organization_id = $1 AND archived_at IS NULL ORDER BY name, id`, o)
}

func scanNamed(row scanner) (n invite.Named, err error) {
	var permissions string
	err = row.Scan(&n.ID, &n.Name, &permissions)
	n.Rights = caller.ParseRights(permissions)
	return n, err
}

func (s Invites) Seats(ctx context.Context, o id.Organization, now time.Time) (invite.Seats, error) {
	var seats invite.Seats
	var plan org.Plan
	_, err := s.db.queryRow(ctx, []any{&plan, &seats.Limit, &seats.Members, &seats.Pending}, `SELECT plan, seats,
		(SELECT COUNT(*) FROM member WHERE organization_id = $1 AND status <> 'removed'),
		(SELECT COUNT(*) FROM invite WHERE organization_id = $1 AND status = 'pending' AND expires_at > $2) FROM organization WHERE id = $1`, o, micros(now))
	if !plan.HasSeats() {
		seats.Limit = 0
	}
	return seats, err
}

const standingChunk = 500 // addresses a statement

func (s Invites) Standings(ctx context.Context, o id.Organization, emails []string, now time.Time) (map[string]invite.Standing, error) {
	return standings(ctx, s.db.read, o, emails, now)
}

func standings(ctx context.Context, from querier, o id.Organization, emails []string, now time.Time) (map[string]invite.Standing, error) {
	all := map[string]invite.Standing{}
	for len(emails) > 0 {
		some := emails[:min(standingChunk, len(emails))]
		emails = emails[len(some):]
		q := selects(`SELECT a.email, m.status, m.role FROM account a JOIN member m ON m.account_id = a.id WHERE m.organization_id = $1`, o)
		among(q, "a.email", some)
		if _, err := queryAll(ctx, from, func(row scanner) (email string, err error) {
			var st invite.Standing
			err = row.Scan(&email, &st.Member, &st.Role)
			all[email] = st
			return email, err
		}, q.text.String(), q.args...); err != nil {
			return nil, err
		}
		q = selects(inviteColumns+`WHERE organization_id = $1 AND status = 'pending' AND expires_at > $2`, o, micros(now))
		among(q, "email", some)
		pending, err := queryAll(ctx, from, scanInvite, q.text.String(), q.args...)
		if err != nil {
			return nil, err
		}
		for _, i := range pending {
			st := all[i.Email]
			st.Pending = &i
			all[i.Email] = st
		}
	}
	return all, nil
}

func (s Invites) Address(ctx context.Context, a id.Account) (email string, verified bool, err error) {
	var at sql.NullInt64
	_, err = s.db.queryRow(ctx, []any{&email, &at}, `SELECT email, verified_at FROM account WHERE id = $1`, a)
	return email, at.Valid, err
}

const inviteColumns = `SELECT id, organization_id, email, name, role, groups, workspaces, status, batch_id, link_id, invited_by, inviter, created_at, expires_at, sent_at, ended_at, member_id FROM invite `

func scanInvite(row scanner) (i invite.Invite, err error) {
	return i, inviteInto(row, &i)
}

func inviteInto(row scanner, i *invite.Invite, more ...any) error {
	var groups, workspaces string
	var created, expires, sent int64
	var ended sql.NullInt64
	err := row.Scan(append([]any{&i.ID, &i.Organization, &i.Email, &i.Name, &i.Role, &groups, &workspaces, &i.Status, &i.Batch, &i.Link, &i.By, &i.ByName,
		&created, &expires, &sent, &ended, &i.Member}, more...)...)
	i.Groups, i.Workspaces = invite.Split[id.Group](groups), invite.Split[id.Workspace](workspaces)
	i.CreatedAt, i.ExpiresAt, i.SentAt, i.EndedAt = fromMicros(created), fromMicros(expires), fromMicros(sent), fromMaybe(ended)
	return err
}

func idList[T ~string](all []T) string {
	var out []string
	for _, one := range all {
		out = append(out, string(one))
	}
	return strings.Join(out, " ")
}

func insertInvites(t tx, all []invite.Outgoing) error {
	var r rows
	for _, out := range all {
		i := out.Invite
		r.add(i.ID, i.Organization, i.Email, i.Name, string(i.Role), idList(i.Groups), idList(i.Workspaces), string(i.Status), out.Hash[:], i.Batch, i.Link,
			i.By, i.ByName, micros(i.CreatedAt), micros(i.ExpiresAt), micros(i.SentAt), "", out.Mailed)
	}
	return t.put(`INSERT INTO invite (id, organization_id, email, name, role, groups, workspaces, status, hash, batch_id, link_id, invited_by, inviter,
		created_at, expires_at, sent_at, member_id, mailed) VALUES `, r, ``)
}

// expire marks what has run out, so that it holds neither seat nor address.
func expire(t tx, o id.Organization, now time.Time) error {
	_, err := t.exec(`UPDATE invite SET status = 'expired' WHERE organization_id = $1 AND status = 'pending' AND expires_at <= $2`, o, micros(now))
	return err
}

func (s Invites) AddInvite(ctx context.Context, out invite.Outgoing, mostOfLink int) error {
	return s.db.record(ctx, func(t tx) error { return s.db.addInvite(t, out, mostOfLink) }, out.Event)
}

// PretendInvite puts an address in the place of the one asked for that nobody
// has, so that whatever is known of that one makes no difference.
func (s Invites) PretendInvite(ctx context.Context, out invite.Outgoing) error {
	out.Invite.Email = string(out.Invite.ID) + "@invalid"
	err := s.db.pretend(ctx, func(t tx) error { return s.db.addInvite(t, out, 0) }, out.Event)
	if fault.Is(err, fault.Invalid) {
		return nil // no seat, which is so for everybody
	}
	return err
}

func (db *DB) addInvite(t tx, out invite.Outgoing, mostOfLink int) error {
	i := out.Invite
	if err := t.must(`UPDATE organization SET version = version WHERE id = $1 AND deleted_at IS NULL`, i.Organization); err != nil {
		return err
	}
	if err := expire(t, i.Organization, i.CreatedAt); err != nil {
		return err
	}
	found, err := standings(t.ctx, t, i.Organization, []string{i.Email}, i.CreatedAt)
	if err != nil {
		return err
	}
	switch st := found[i.Email]; {
	case st.Member == org.Active:
		return fault.New(fault.Conflict, "%s is a member of the organization already", i.Email).At("email").Coded("already_member")
	case st.Member == org.Suspended:
		return fault.New(fault.Conflict, "%s is a suspended member of the organization", i.Email).At("email").Coded("already_member").WithHint("reinstate them instead")
	case st.Pending != nil:
		return fault.New(fault.Conflict, "%s is invited already", i.Email).At("email").Coded("invite_already_exists").WithHint("send that invitation again, or withdraw it first")
	}
	if err := takeSeats(t, i.Organization, 1); err != nil {
		return err
	}
	if mostOfLink > 0 {
		var n int
		if err := t.row([]any{&n}, `SELECT COUNT(*) FROM invite WHERE link_id = $1 AND status = 'pending'`, i.Link); err != nil {
			return err
		}
		if n >= mostOfLink {
			return fault.New(fault.Conflict, "too many invitations of this link are waiting")
		}
	}
	if err := insertInvites(t, []invite.Outgoing{out}); err != nil {
		return err
	}
	return db.queueLetters(t, out.Letter)
}

func (s Invites) Invite(ctx context.Context, o id.Organization, i id.Invite) (invite.Invite, bool, error) {
	return first(queryAll(ctx, s.db.read, scanInvite, inviteColumns+`WHERE organization_id = $1 AND id = $2`, o, i))
}

func (s Invites) Invites(ctx context.Context, o id.Organization, f invite.Filter, now time.Time) ([]invite.Invite, bool, error) {
	q := selects(inviteColumns+`WHERE organization_id = $1`, o)
	if len(f.Statuses) > 0 {
		var any []string
		for _, status := range f.Statuses {
			any = append(any, statusIs(q, status, now))
		}
		q.add(` AND (` + strings.Join(any, ` OR `) + `)`)
	}
	among(q, "role", f.Roles)
	if f.Text != "" {
		sought := containing(f.Text)
		q.and(`(LOWER(name) LIKE %s ESCAPE '\' OR email LIKE %s ESCAPE '\')`, sought, sought)
	}
	q.address("email", f.Email)
	if f.Batch != "" {
		q.and(`batch_id = %s`, f.Batch)
	}
	c := cursor{table: "invite", after: string(f.After), before: string(f.Before), limit: f.Limit}
	q.page(c)
	found, err := queryAll(ctx, s.db.read, scanInvite, q.text.String(), q.args...)
	page, more := turn(c, found)
	return page, more, err
}

// statusIs is a condition. What has run out and is not marked yet counts as such.
func statusIs(q *query, status invite.Status, now time.Time) string {
	switch status {
	case invite.Pending:
		return fmt.Sprintf(`(status = 'pending' AND expires_at > %s)`, q.mark(micros(now)))
	case invite.Expired:
		return fmt.Sprintf(`(status = 'expired' OR (status = 'pending' AND expires_at <= %s))`, q.mark(micros(now)))
	}
	return fmt.Sprintf(`status = %s`, q.mark(string(status)))
}

func (s Invites) CountInvites(ctx context.Context, o id.Organization, now time.Time) (map[invite.Status]int, error) {
	counts := map[invite.Status]int{}
	_, err := queryAll(ctx, s.db.read, func(row scanner) (status invite.Status, err error) {
		var n int
		err = row.Scan(&status, &n)
		counts[status] += n
		return status, err
	}, `SELECT CASE WHEN status = 'pending' AND expires_at <= $2 THEN 'expired' ELSE status END, COUNT(*) FROM invite WHERE organization_id = $1 GROUP BY 1`, o, micros(now))
	return counts, err
}

func (s Invites) Resend(ctx context.Context, out invite.Outgoing, notSince time.Time) error {
	i := out.Invite
	return s.db.record(ctx, func(t tx) error {
		n, err := t.exec(`UPDATE invite SET sent_at = $1 WHERE organization_id = $2 AND id = $3 AND status = 'pending' AND expires_at > $1 AND sent_at <= $4`,
			micros(i.SentAt), i.Organization, i.ID, micros(notSince))
		if err == nil && n == 0 {
			err = fault.New(fault.Conflict, "the invitation of %s was just sent, or is not pending any more", i.Email)
		}
		if err != nil {
			return err
		}
		// What still waits says the same: one letter is enough.
		if err := s.db.dropLetters(t, string(i.ID)); err != nil {
			return err
		}
		return s.db.queueLetters(t, out.Letter)
	}, out.Event)
}

func (s Invites) Withdraw(ctx context.Context, i invite.Invite, at time.Time, e audit.Event) error {
	return s.db.record(ctx, func(t tx) error {
		n, err := t.exec(`UPDATE invite SET status = 'deleted', ended_at = $1 WHERE organization_id = $2 AND id = $3 AND status = 'pending'`, micros(at), i.Organization, i.ID)
		if err == nil && n == 0 {
			err = fault.New(fault.Conflict, "the invitation of %s is not pending any more", i.Email)
		}
		if err != nil {
			return err
		}
		return s.db.dropLetters(t, string(i.ID))
	}, e)
}

// withdrawInvites ends the pending invitations of an address, with what waits in
// the outbox about them: whoever removes a member ends these as well.
func (db *DB) withdrawInvites(t tx, o id.Organization, email string, at time.Time) error {
	all, err := queryAll(t.ctx, t, scanInvite, inviteColumns+`WHERE organization_id = $1 AND email = $2 AND status = 'pending'`, o, email)
	if err != nil {
		return err
	}
	for _, i := range all {
		if _, err := t.exec(`UPDATE invite SET status = 'deleted', ended_at = $1 WHERE id = $2 AND status = 'pending'`, micros(at), i.ID); err != nil {
			return err
		}
		if err := db.dropLetters(t, string(i.ID)); err != nil {
			return err
		}
	}
	return nil
}

func (s Invites) ByHash(ctx context.Context, hash secret.Hash) (invite.Offer, bool, error) {
	return first(queryAll(ctx, s.db.read, func(row scanner) (o invite.Offer, err error) {
		var settings string
		err = inviteInto(row, &o.Invite, &o.OrganizationName, &settings, &o.OrganizationDeleted, &o.Account)
		o.OrganizationColor = colorIn(settings)
		return o, err
	}, `SELECT i.id, i.organization_id, i.email, i.name, i.role, i.groups, i.workspaces, i.status, i.batch_id, i.link_id, i.invited_by, i.inviter,
		i.created_at, i.expires_at, i.sent_at, i.ended_at, i.member_id, o.name, o.settings, o.deleted_at IS NOT NULL, COALESCE(a.id, '')
		FROM invite i JOIN organization o ON o.id = i.organization_id LEFT JOIN account a ON a.email = i.email WHERE i.hash = $1`, hash[:]))
}

func (s Invites) Expire(ctx context.Context, now, oldBatches time.Time) error {
	return s.db.upkeep(ctx, func(t tx) error {
		if _, err := t.exec(`UPDATE invite SET status = 'expired' WHERE status = 'pending' AND expires_at <= $1`, micros(now)); err != nil {
			return err
		}
		_, err := t.exec(`DELETE FROM invite_batch WHERE created_at < $1 AND state <> 'sending'`, micros(oldBatches))
		return err
	})
}
