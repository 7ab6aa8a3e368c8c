package admin

import (
	"strings"

	"github.com/gatehouse-dev/gatehouse/api"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/serviceaccount"
)

func (d *Door) serviceAccountOperations() []operation {
	return append([]operation{
		shows("GET /service_accounts", "List service accounts",
			cursors(servicesAsked, d.cfg.ServiceAccounts.List, serviceAccount, func(a serviceaccount.Account) string { return string(a.ID) }),
			with(onward, "include_archived")...),
		takes("POST /service_accounts", "Make a service account", d.createServiceAccount),
		shows("GET /service_accounts/{id}", "One service account", one(d.cfg.ServiceAccounts.Get, serviceAccount)),
		takes("POST /service_accounts/{id}", "Describe a service account anew", d.updateServiceAccount),
		shows("POST /service_accounts/{id}/archive", "Archive a service account for good", one(d.cfg.ServiceAccounts.Archive, serviceAccount)),
	}, d.serviceMemberOperations()...)
}

func servicesAsked(_ call, q *asked) serviceaccount.Filter {
	return serviceaccount.Filter{Archived: q.yes("include_archived"), After: idCursor[id.ServiceAccount](q), Limit: q.limit}
}

func (d *Door) createServiceAccount(c call, in api.ServiceAccountNew) (api.ServiceAccount, error) {
	made := serviceaccount.New{Name: in.Name}
	if in.Description != nil {
		made.Description = *in.Description
	}
	a, err := d.cfg.ServiceAccounts.Create(c.Context(), c.who, c.who.Organization, made)
	return serviceAccount(a), err
}

func (d *Door) updateServiceAccount(c call, in api.ServiceAccountUpdate) (api.ServiceAccount, error) {
	change := serviceaccount.Change{Description: in.Description.Value}
	if in.Description.Given && change.Description == nil {
		change.Description = new(string)
	}
	a, err := d.cfg.ServiceAccounts.Update(c.Context(), c.who, c.who.Organization, named[id.ServiceAccount](c), change)
	return serviceAccount(a), err
}

func serviceAccount(a serviceaccount.Account) api.ServiceAccount {
	out := api.ServiceAccount{ID: string(a.ID), Type: "service_account", Name: a.Name, Description: a.Description, OrganizationRole: "developer",
		CreatedAt: api.Time{Time: a.CreatedAt}, CreatedByActorID: actor(a.CreatedBy), UpdatedAt: api.Time{Time: a.CreatedAt}, UpdatedByActorID: actor(a.UpdatedBy),
		ArchivedAt: api.MaybeTime(a.ArchivedAt), ArchivedByActorID: actor(a.ArchivedBy)}
	if !a.UpdatedAt.IsZero() {
		out.UpdatedAt = api.Time{Time: a.UpdatedAt}
	}
	return out
}

// actor is the id of who did something; nil for those who have none.
func actor(by string) *string {
	for _, kind := range []string{"user_", "svac_", "apikey_"} {
		if strings.HasPrefix(by, kind) {
			return &by
		}
	}
	return nil
}
