package store

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/invite"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

const linkColumns = `SELECT l.id, l.organization_id, l.role, l.domains, l.round, l.made_by, l.maker, l.created_at, l.expires_at, l.disabled_at,
	(SELECT COUNT(*) FROM invite i WHERE i.link_id = l.id AND i.link_id <> '')`

func linkInto(row scanner, l *invite.Link, more ...any) error {
	var domains string
	var created, expires int64
	var disabled sql.NullInt64
	err := row.Scan(append([]any{&l.ID, &l.Organization, &l.Role, &domains, &l.Round, &l.By, &l.ByName, &created, &expires, &disabled, &l.Used}, more...)...)
	l.Domains, l.CreatedAt, l.ExpiresAt, l.DisabledAt = strings.Fields(domains), fromMicros(created), fromMicros(expires), fromMaybe(disabled)
	return err
}

func scanLink(row scanner) (l invite.Link, err error) { return l, linkInto(row, &l) }

func (s Invites) AddLink(ctx context.Context, l invite.Link, hash secret.Hash, most int, e audit.Event) error {
	return s.db.record(ctx, func(t tx) error {
		if err := t.must(`UPDATE organization SET version = version WHERE id = $1 AND deleted_at IS NULL`, l.Organization); err != nil {
			return err
		}
		var n int
		if err := t.row([]any{&n}, `SELECT COUNT(*) FROM invite_link WHERE organization_id = $1 AND disabled_at IS NULL AND expires_at > $2`, l.Organization, micros(l.CreatedAt)); err != nil {
			return err
		}
		if n >= most {
			return fault.New(fault.Conflict, "the organization has %d invite links already", n).WithHint("disable one that is not needed any more")
		}
		_, err := t.exec(`INSERT INTO invite_link (id, organization_id, role, domains, round, hash, made_by, maker, created_at, expires_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`, l.ID, l.Organization, string(l.Role), strings.Join(l.Domains, " "), l.Round, hash[:], l.By, l.ByName,
			micros(l.CreatedAt), micros(l.ExpiresAt))
		return err
	}, e)
}

func (s Invites) Links(ctx context.Context, o id.Organization, limit int) ([]invite.Link, error) {
	return queryAll(ctx, s.db.read, scanLink, linkColumns+` FROM invite_link l WHERE l.organization_id = $1 ORDER BY l.created_at DESC, l.id DESC LIMIT $2`, o, limit)
}

func (s Invites) Link(ctx context.Context, o id.Organization, l id.InviteLink) (invite.Link, bool, error) {
	return first(queryAll(ctx, s.db.read, scanLink, linkColumns+` FROM invite_link l WHERE l.organization_id = $1 AND l.id = $2`, o, l))
}

func (s Invites) LinkByHash(ctx context.Context, hash secret.Hash) (invite.Opened, bool, error) {
	return first(queryAll(ctx, s.db.read, func(row scanner) (o invite.Opened, err error) {
		var settings string
		err = linkInto(row, &o.Link, &o.OrganizationName, &settings)
		o.OrganizationColor = colorIn(settings)
		return o, err
	}, linkColumns+`, o.name, o.settings FROM invite_link l JOIN organization o ON o.id = l.organization_id AND o.deleted_at IS NULL WHERE l.hash = $1`, hash[:]))
}

func (s Invites) DisableLink(ctx context.Context, l invite.Link, at time.Time, e audit.Event) error {
	return s.db.record(ctx, func(t tx) error {
		n, err := t.exec(`UPDATE invite_link SET disabled_at = $1 WHERE organization_id = $2 AND id = $3 AND disabled_at IS NULL`, micros(at), l.Organization, l.ID)
		if err == nil && n == 0 {
			err = fault.New(fault.Conflict, "the link is disabled already")
		}
		return err
	}, e)
}

func (s Invites) RenewLink(ctx context.Context, l invite.Link, hash secret.Hash, e audit.Event) error {
	return s.db.record(ctx, func(t tx) error {
		n, err := t.exec(`UPDATE invite_link SET round = $1, hash = $2, made_by = $3, maker = $4 WHERE organization_id = $5 AND id = $6 AND round = $7 AND disabled_at IS NULL`,
			l.Round, hash[:], l.By, l.ByName, l.Organization, l.ID, l.Round-1)
		if err == nil && n == 0 {
			err = fault.New(fault.Conflict, "somebody else has just changed this link").WithHint("look at it again")
		}
		return err
	}, e)
}

const proposalColumns = `SELECT id, organization_id, email, name, why, member_id, state, decided_by, created_at, decided_at,
	(SELECT a.name FROM member m JOIN account a ON a.id = m.account_id WHERE m.id = member_id) FROM member_proposal `

func scanProposal(row scanner) (p invite.Proposal, err error) {
	var created int64
	var decided sql.NullInt64
	err = row.Scan(&p.ID, &p.Organization, &p.Email, &p.Name, &p.Why, &p.By, &p.State, &p.DecidedBy, &created, &decided, &p.ByName)
	p.CreatedAt, p.DecidedAt = fromMicros(created), fromMaybe(decided)
	return p, err
}

func (s Invites) AddProposal(ctx context.Context, p invite.Proposal, most int, e audit.Event) error {
	return s.db.record(ctx, func(t tx) error {
		if err := t.must(`UPDATE member SET version = version WHERE organization_id = $1 AND id = $2 AND status = 'active'`, p.Organization, p.By); err != nil {
			return err
		}
		var n int
		if err := t.row([]any{&n}, `SELECT COUNT(*) FROM member_proposal WHERE member_id = $1 AND state = 'waiting'`, p.By); err != nil {
			return err
		}
		if n >= most {
			return fault.New(fault.Conflict, "%d of your proposals are waiting", n).WithHint("wait until some are decided on")
		}
		made, err := t.exec(`INSERT INTO member_proposal (id, organization_id, email, name, why, member_id, state, decided_by, created_at)
			VALUES ($1, $2, $3, $4, $5, $6, 'waiting', '', $7) ON CONFLICT DO NOTHING`, p.ID, p.Organization, p.Email, p.Name, p.Why, p.By, micros(p.CreatedAt))
		if err == nil && made == 0 {
			err = fault.New(fault.Conflict, "%s is proposed already", p.Email).At("email")
		}
		return err
	}, e)
}

func (s Invites) Proposals(ctx context.Context, o id.Organization, by id.Member, limit int) ([]invite.Proposal, error) {
	q := selects(proposalColumns+`WHERE organization_id = $1 AND state = 'waiting'`, o)
	if by != "" {
		q.and(`member_id = %s`, by)
	}
	q.add(` ORDER BY created_at DESC, id DESC LIMIT ` + q.mark(limit))
	return queryAll(ctx, s.db.read, scanProposal, q.text.String(), q.args...)
}

func (s Invites) Proposal(ctx context.Context, o id.Organization, p string) (invite.Proposal, bool, error) {
	return first(queryAll(ctx, s.db.read, scanProposal, proposalColumns+`WHERE organization_id = $1 AND id = $2`, o, p))
}

func (s Invites) Decide(ctx context.Context, p invite.Proposal, out *invite.Outgoing, e audit.Event) error {
	events := []audit.Event{e}
	if out != nil {
		events = append(events, out.Event)
	}
	return s.db.record(ctx, func(t tx) error {
		if out != nil { // first, as it holds the organization's seats
			if err := s.db.addInvite(t, *out, 0); err != nil {
				return err
			}
		}
		n, err := t.exec(`UPDATE member_proposal SET state = $1, decided_by = $2, decided_at = $3 WHERE organization_id = $4 AND id = $5 AND state = 'waiting'`,
			p.State, p.DecidedBy, micros(p.DecidedAt), p.Organization, p.ID)
		if err == nil && n == 0 {
			err = fault.New(fault.Conflict, "somebody else has decided on this proposal already")
		}
		return err
	}, events...)
}
