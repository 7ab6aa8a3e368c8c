package console

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/upstream"
)

// editPage is the form that changes an upstream: the one it was connected with, but
// for its name.
func (c *Console) editPage(u upstream.Upstream) (view, *form, error) {
	f := &form{Fields: append(slices.Clone(plainFields), placing...)}
	p := u.Provider
	switch {
	case p == upstream.Simulated:
		return view{}, nil, fault.New(fault.NotFound, "there is nothing to change of a simulated model")
	case p == upstream.Anthropic && u.Settings.Way != upstream.WayKey:
		p = federated
	}
	if _, cloud := cloudForms[p]; cloud {
		_, asks, err := c.newCloudPage(p, u.Organization)
		if err != nil {
			return view{}, nil, err
		}
		f = asks
		f.Fields = f.Fields[1:] // the name stays: by it the ledger knows who answered
	}
	if len(u.Settings.Models) > 0 && !slices.ContainsFunc(f.Fields, func(one field) bool { return one.Name == "models" }) {
		f.Fields = append(f.Fields, modelNames)
	}
	f.Action, f.Submit, f.Cancel = "/upstreams/"+string(u.ID)+"/edit", "Save the upstream", "/upstreams"
	f.Hidden = []hidden{{"version", strconv.FormatInt(u.Version, 10)}}
	for i := range f.Fields {
		if one := &f.Fields[i]; one.Kind == "password" {
			one.Help = "Left empty, it stays as it is. It is needed where the way in, the address or the account changes: what was stored is sent nowhere else."
		}
	}
	f.fill(typedOf(u))
	return view{Title: "Change " + u.Name, Lead: "The next request goes by it. Requests under way end as they began.", Body: f}, f, nil
}

// typedOf is what a form would have sent for an upstream: settingsOf the other way
// round.
func typedOf(u upstream.Upstream) url.Values {
	in := u.Settings
	typed := url.Values{"base_url": {u.BaseURL}, "way": {string(in.Way)}, "region": {in.Region}, "geography": {in.Geography}, "access_key_id": {in.AccessKeyID},
		"role_arn": {in.RoleARN}, "workspace": {in.Workspace}, "project": {in.Project}, "fence": {in.Fence}, "pool": {in.Pool},
		"impersonate": {in.Impersonate}, "resource": {in.Resource}, "tenant": {in.Tenant}, "client": {in.Client},
		"guardrail": {in.Guardrail}, "guardrail_version": {in.GuardrailVersion},
		"federation_rule": {in.FederationRule}, "anthropic_organization": {in.AnthropicOrg}, "service_account": {in.ServiceAccount}}
	if in.PerMember {
		typed.Set("per_member", "yes")
	}
	var models strings.Builder
	for _, model := range slices.Sorted(maps.Keys(in.Models)) {
		fmt.Fprintf(&models, "%s=%s\n", model, in.Models[model])
	}
	typed.Set("models", models.String())
	for name, n := range map[string]int{"weight": in.Weight, "requests_per_minute": in.RequestsPerMinute, "tokens_per_minute": in.TokensPerMinute} {
		if n != 0 {
			typed.Set(name, strconv.Itoa(n))
		}
	}
	return typed
}

func (c *Console) editUpstream(v *visit) error {
	all, at, err := c.namedUpstream(v)
	if err != nil {
		return err
	}
	return v.fresh("form", func() (view, *form, error) { return c.editPage(all[at]) })
}

func (c *Console) changeUpstream(v *visit) error {
	typed, err := v.readForm()
	if err != nil {
		return err
	}
	settings, err := settingsOf(typed)
	base := typed.Get("base_url")
	if err == nil {
		_, err = c.cfg.Upstreams.Change(v.r.Context(), v.who, v.who.Organization, id.Upstream(v.r.PathValue("id")),
			upstream.Change{BaseURL: &base, Credential: secret.New(strings.TrimSpace(typed.Get("credential"))), Settings: &settings, Version: version(typed)})
	}
	if err != nil {
		return v.anew("form", func() (view, *form, error) {
			all, at, err := c.namedUpstream(v)
			if err != nil {
				return view{}, nil, err
			}
			return c.editPage(all[at])
		}, typed, err)
	}
	return v.redirect("/upstreams?done=saved")
}
