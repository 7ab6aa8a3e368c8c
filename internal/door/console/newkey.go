package console

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/apikey"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/workspace"
)

// newKeyPage is the form that makes a key: of one's own, or of the service
// account that it names.
func (c *Console) newKeyPage(v *visit, of id.ServiceAccount) (view, *form, error) {
	f := &form{Action: "/keys", Submit: "Create the key", Cancel: "/keys", Fields: []field{
		{Kind: "text", Name: "name", Label: "Name", Help: "What it is for, and where it will be.", Autocomplete: "off", Placeholder: "nightly tests on build-3", Length: 200, Focus: true}}}
	w := view{Title: "Create a key", Lead: "Its value is shown once, on the next page.", Body: f}
	expiry, err := c.expiryFields(v)
	if err != nil {
		return w, f, err
	}
	places, err := c.placesFor(v, of)
	if err != nil {
		return w, f, err
	}
	if of != "" {
		found, err := c.cfg.ServiceAccounts.Get(v.r.Context(), v.who, v.who.Organization, of)
		if err != nil {
			return w, f, err
		}
		w.Title, f.Cancel, f.Hidden = "Create a key for "+found.Name, "/service-accounts/"+string(of), []hidden{{"service_account", string(of)}}
		f.Fields = append(append(f.Fields, places), expiry...)
		return w, f, nil
	}
	if kinds := kindsFor(v.who); len(kinds.Options) > 1 {
		f.Fields = append(f.Fields, kinds)
	} else {
		f.Hidden = append(f.Hidden, hidden{"kind", kinds.Options[0].Value})
	}
	if v.who.Rights.Has(caller.OwnKeys) {
		f.Fields = append(f.Fields, places)
	}
	f.Fields = append(f.Fields, expiry...)
	if v.who.Rights.Has(caller.ManageAdminKeys) {
		f.Fields = append(f.Fields, scopesFor(v.who))
	}
	return w, f, nil
}

func kindsFor(who caller.Caller) field {
	f := field{Kind: "radio", Name: "kind", Label: "Opens"}
	if who.Rights.Has(caller.OwnKeys) {
		f.Options = append(f.Options, option{Value: string(apikey.ForModels), Text: "Models", Help: "Your own key for the model API, in a workspace.", Chosen: true})
	}
	if who.Rights.Has(caller.OwnClaudeCodeKeys) {
		f.Options = append(f.Options, option{Value: string(apikey.ForClaudeCode), Text: "Claude Code", Help: "Your own key for Claude Code, in the workspace that its sign-ins are in. It ends with your membership.",
			Chosen: len(f.Options) == 0})
	}
	if who.Rights.Has(caller.ManageAdminKeys) {
		f.Options = append(f.Options, option{Value: string(apikey.ForAdmin), Text: "The Admin API", Help: "Runs the organization: members, keys, workspaces. It opens no model, and can do no more than you can.", Chosen: len(f.Options) == 0})
	}
	return f
}

// placesFor are the workspaces that a new key can be in.
func (c *Console) placesFor(v *visit, of id.ServiceAccount) (field, error) {
	f := field{Kind: "select", Name: "workspace", Label: "Workspace", Help: "Its models and limits hold for the key, and the key stops with it.",
		Options: []option{{Value: "", Text: "Default", Chosen: true}}}
	if of == "" && v.who.Rights.Has(caller.ManageWorkspaces) {
		all, _, err := c.cfg.Workspaces.List(v.r.Context(), v.who, v.who.Organization, workspace.Filter{Limit: workspace.Most})
		for _, w := range all {
			if w.Kind == workspace.Ordinary {
				f.Options = append(f.Options, option{Value: string(w.ID), Text: w.Name})
			}
		}
		return f, err
	}
	principal := string(v.who.Member)
	if of != "" {
		principal = string(of)
	}
	in, _, err := c.cfg.Workspaces.Of(v.r.Context(), v.who, v.who.Organization, principal, workspace.MemberFilter{Limit: workspace.Most})
	for _, m := range in {
		if m.WorkspaceName != workspace.ClaudeCodeName && access.InWorkspace(0, m.Role).Has(access.HoldCredentials) {
			f.Options = append(f.Options, option{Value: string(m.Workspace), Text: m.WorkspaceName})
		}
	}
	return f, err
}

// scopesFor asks what an admin key may do, one right a line: what is there by
// itself is all that it can have.
func scopesFor(who caller.Caller) field {
	most := access.AdminKeyRights() & who.Rights
	return field{Kind: "lines", Name: "scopes", Label: "An admin key may", Mono: true, Optional: true, Value: strings.ReplaceAll(most.String(), " ", "\n"),
		Help: "One permission a line. Take out what it does not need. Other keys do not look at this."}
}

func (c *Console) newKey(v *visit) error {
	if of := id.ServiceAccount(v.r.URL.Query().Get("service_account")); of == "" && !canMakeKeys(v.who) {
		return access.Check(v.who, caller.OwnKeys, v.who.Organization)
	}
	w, f, err := c.newKeyPage(v, id.ServiceAccount(v.r.URL.Query().Get("service_account")))
	if err != nil {
		return err
	}
	if in := v.r.URL.Query().Get("workspace"); in != "" {
		f.fill(url.Values{"workspace": {in}})
	}
	return v.show(http.StatusOK, "form", w)
}

func (c *Console) createKey(v *visit) error {
	typed, err := v.readForm()
	if err != nil {
		return err
	}
	key, value, failed := c.makeKey(v, typed)
	if failed == nil {
		return c.showKey(v, key, value)
	}
	w, f, err := c.newKeyPage(v, id.ServiceAccount(typed.Get("service_account")))
	if err != nil {
		return failed
	}
	return v.again("form", w, f, typed, failed)
}

func (c *Console) makeKey(v *visit, typed url.Values) (apikey.Key, secret.Text, error) {
	expires, err := c.expiry(typed.Get("expires"), typed.Get("day"))
	if err != nil {
		return apikey.Key{}, secret.Text{}, err
	}
	in := apikey.New{Kind: apikey.Kind(typed.Get("kind")), Name: typed.Get("name"), Workspace: id.Workspace(typed.Get("workspace")),
		ServiceAccount: id.ServiceAccount(typed.Get("service_account")), ExpiresAt: expires}
	ctx, o := v.r.Context(), v.who.Organization
	switch {
	case in.ServiceAccount != "":
		return c.cfg.Keys.CreateForService(ctx, v.who, o, in)
	case in.Kind == apikey.ForAdmin:
		if in.Scopes, err = scopesOf(typed.Get("scopes")); err != nil {
			return apikey.Key{}, secret.Text{}, err
		}
		return c.cfg.Keys.CreateAdmin(ctx, v.who, o, in)
	}
	return c.cfg.Keys.Create(ctx, v.who, o, in)
}

// scopesOf reads what scopesFor asked. A name that means nothing is a mistake
// that must be seen.
func scopesOf(typed string) (caller.Rights, error) {
	var set caller.Rights
	for name := range strings.FieldsSeq(typed) {
		r, ok := caller.RightNamed(name)
		if !ok {
			return 0, fault.New(fault.Invalid, "there is no permission %.60q", name).At("scopes")
		}
		set |= caller.RightsOf(r)
	}
	return set, nil
}

func (c *Console) showKey(v *visit, key apikey.Key, value secret.Text, notes ...string) error {
	notes = append([]string{"It is shown this once; only its fingerprint is kept here."}, notes...)
	if !key.ExpiresAt.IsZero() {
		notes = append(notes, "It expires "+c.moment(key.ExpiresAt).Relative+", on "+c.moment(key.ExpiresAt).Exact+".")
	}
	return v.show(http.StatusOK, "once", view{Title: "The key “" + key.Name + "”", Body: once{Label: "Value", Value: value.Reveal(),
		Notes: notes, Next: link{"/keys/" + string(key.ID), "I have stored it"}}})
}
