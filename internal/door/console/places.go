package console

import (
	"net/url"
	"slices"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/caller"
)

// place is where a thing of some sort is shown, by the beginning of its id. The
// first of its paths that is served is the one; a path without {id} is a list.
type place struct {
	prefix string
	noun   string
	needs  caller.Right
	paths  []string
}

// places are in the order in which prefixes are tried.
var places = []place{
	{"user_", "member", caller.ReadMembers, []string{"/members/{id}"}},
	{"apikey_", "key", caller.AllKeys, []string{"/keys/{id}", "/keys"}},
	{"svac_", "service account", caller.ManageServiceAccounts, []string{"/service-accounts/{id}", "/service-accounts"}},
	{"wrkspc_", "workspace", caller.ReadWorkspaces, []string{"/workspaces/{id}", "/workspaces"}},
	{"rbac_group_", "group", caller.ManageRoles, []string{"/groups/{id}", "/groups"}},
	{"rbac_role_", "role", caller.ManageRoles, []string{"/roles/{id}", "/roles"}},
	{"invite_", "invitation", caller.ManageMembers, []string{"/invitations/{id}", "/invitations", "/invites/{id}", "/invites"}},
	{"invlink_", "invite link", caller.ManageMembers, []string{"/invitations/links", "/invitations", "/invites"}},
	{"invbatch_", "invitations", caller.ManageMembers, []string{"/invitations/batches/{id}", "/invitations/many/{id}", "/invitations", "/invites"}},
	{"devs_", "session", caller.AllSessions, []string{"/sessions/{id}", "/sessions"}},
	{"upst_", "upstream", caller.ManageUpstreams, []string{"/upstreams/{id}", "/upstreams"}},
	{"msg_", "mail", caller.ManageMembers, []string{"/outbox/{id}", "/mail/{id}", "/outbox", "/mail"}},
	{"activity_", "entry", caller.ReadActivity, []string{"/activity/{id}"}},
}

// placeFor is the sort that an id is of.
func placeFor(thing string) (place, bool) {
	for _, p := range places {
		if strings.HasPrefix(thing, p.prefix) {
			return p, true
		}
	}
	return place{}, false
}

// placeOf is the path of a thing, and what it is called; empty if there is no
// page of it, or none that these rights open.
func (c *Console) placeOf(thing string, rights caller.Rights) (path, noun string) {
	p, ok := placeFor(thing)
	if !ok || !rights.Has(p.needs) {
		return "", p.noun
	}
	for _, path := range p.paths {
		if slices.Contains(c.served, path) {
			return strings.Replace(path, "{id}", url.PathEscape(thing), 1), p.noun
		}
	}
	return "", p.noun
}
