package store

import (
	"context"

	"github.com/gatehouse-dev/gatehouse/internal/id"
)

// Names are the names of an organization's members by their id.
func (s Orgs) Names(ctx context.Context, o id.Organization, members []id.Member) (map[id.Member]string, error) {
	names := make(map[id.Member]string, len(members))
	if len(members) == 0 {
		return names, nil
	}
	q := selects(`SELECT m.id, a.name FROM member m JOIN account a ON a.id = m.account_id WHERE m.organization_id = $1`, o)
	among(q, `m.id`, members)
	_, err := queryAll(ctx, s.db.read, func(s scanner) (none struct{}, err error) {
		var m id.Member
		var name string
		err = s.Scan(&m, &name)
		names[m] = name
		return none, err
	}, q.text.String(), q.args...)
	return names, err
}
