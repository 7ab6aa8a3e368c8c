package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/org"
)

// seats are an organization's at a moment at which nobody else can take one.
type seats struct {
	limit   int // 0: any number
	members int
	pending int
}

// lockSeats reads the seats and holds them until the transaction ends: whoever
// else wants one waits. It comes first in a transaction, so that none waits for
// another that waits for it. Invitations that have run out hold a seat until
// they are marked.
func lockSeats(t tx, o id.Organization) (s seats, err error) {
	var plan org.Plan
	err = t.row([]any{&plan, &s.limit}, `UPDATE organization SET version = version WHERE id = $1 AND deleted_at IS NULL RETURNING plan, seats`, o)
	if errors.Is(err, sql.ErrNoRows) {
		err = fault.New(fault.NotFound, "there is no such organization")
	}
	if err != nil {
		return s, err
	}
	if !plan.HasSeats() {
		s.limit = 0
	}
	err = t.row([]any{&s.members, &s.pending}, `SELECT (SELECT COUNT(*) FROM member WHERE organization_id = $1 AND status <> 'removed'),
		(SELECT COUNT(*) FROM invite WHERE organization_id = $1 AND status = 'pending')`, o)
	return s, err
}

func (s seats) free() int {
	if s.limit == 0 {
		return 1 << 30
	}
	return max(0, s.limit-s.members-s.pending)
}

// none says that no seat is free, who has them and whom to ask.
func (s seats) none() error {
	return fault.New(fault.Invalid, "no seat is free: %d of %d are taken (%s, %s)", s.members+s.pending, s.limit, manyOf(s.members, "member"), manyOf(s.pending, "invitation")).Coded("org_member_limit_exceeded").
		WithHint("ask an owner of the organization for more seats, withdraw an invitation or remove a member")
}

func manyOf(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// takeSeats fails with Invalid unless so many seats of an organization are free.
// Members that are active or suspended have one, and pending invitations.
func takeSeats(t tx, o id.Organization, n int) error {
	s, err := lockSeats(t, o)
	if err == nil && s.free() < n {
		err = s.none()
	}
	return err
}

// SavePlan holds the seats while it looks how many are taken, as whoever takes
// one does: there are never more taken than bought.
func (s Orgs) SavePlan(ctx context.Context, o org.Organization, e audit.Event) (org.Organization, error) {
	err := s.db.record(ctx, func(t tx) error {
		taken, err := lockSeats(t, o.ID)
		if err != nil {
			return err
		}
		if n := taken.members + taken.pending; o.Plan.HasSeats() && o.Seats > 0 && o.Seats < n {
			return fault.New(fault.Invalid, "%d seats are taken (%s, %s): there cannot be fewer", n, manyOf(taken.members, "member"), manyOf(taken.pending, "invitation")).At("seats").
				WithHint("withdraw invitations or remove members first")
		}
		return changed(t.exec(`UPDATE organization SET plan = $1, seats = $2, version = version + 1 WHERE id = $3 AND deleted_at IS NULL AND version = $4`,
			string(o.Plan), o.Seats, o.ID, o.Version))
	}, e)
	o.Version++
	return o, err
}
