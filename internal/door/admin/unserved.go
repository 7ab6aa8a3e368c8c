package admin

import (
	"net/http"

	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/door/route"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

// unservedPatterns are the calls of Anthropic's Admin API whose types are in
// package api and which this door does not answer: a program learns that from a
// 501, and does not take them for things that are not there.
var unservedPatterns = []string{
	"/v1/organizations/invites", "/v1/organizations/invites/{id}",
	"/v1/organizations/users", "/v1/organizations/users/{id}",
	"/v1/organizations/workspaces", "/v1/organizations/workspaces/{id}", "/v1/organizations/workspaces/{id}/{rest...}",
	"/v1/organizations/rate_limits",
	"/v1/organizations/service_accounts", "/v1/organizations/service_accounts/{id}", "/v1/organizations/service_accounts/{id}/{rest...}",
	"/v1/organizations/rbac_groups", "/v1/organizations/rbac_groups/{id}", "/v1/organizations/rbac_groups/{id}/{rest...}",
	"/v1/organizations/rbac_roles", "/v1/organizations/rbac_roles/{id}", "/v1/organizations/rbac_roles/{id}/{rest...}",
}

func (d *Door) unserved() []route.Route {
	var all []route.Route
	for _, pattern := range unservedPatterns {
		all = append(all, route.Route{Pattern: pattern, Handler: d.serve(d.notServed)})
	}
	return all
}

func (d *Door) notServed(*http.Request, caller.Caller) (any, error) {
	return nil, fault.New(fault.Unsupported, "this server does not answer this call of the Admin API").WithHint("use the console")
}
