package console

import (
	"net/http"
	"strconv"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/apikey"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/serviceaccount"
	"github.com/gatehouse-dev/gatehouse/internal/workspace"
)

var serviceAccountRoutes = []route{
	get("/service-accounts", member, (*Console).serviceAccounts),
	post("/service-accounts", member, (*Console).createServiceAccount),
	get("/service-accounts/new", member, (*Console).newServiceAccount),
	get("/service-accounts/{id}", member, (*Console).serviceAccountPage),
	post("/service-accounts/{id}", member, (*Console).saveServiceAccount),
	get("/service-accounts/{id}/archive", member, (*Console).archiveServiceAccountForm),
	post("/service-accounts/{id}/archive", member, (*Console).archiveServiceAccount),
}

type serviceAccountRow struct {
	ID, Name, Description, Keys, Workspaces, Status string
	Archived                                        bool
	Made                                            moment
}

func (c *Console) serviceAccountRow(a serviceaccount.Account) serviceAccountRow {
	row := serviceAccountRow{ID: string(a.ID), Name: a.Name, Description: short(a.Description), Keys: upTo(a.Keys), Workspaces: upTo(a.Workspaces), Status: "Active", Made: c.moment(a.CreatedAt)}
	if row.Archived = a.Archived(); row.Archived {
		row.Status = "Archived"
	}
	return row
}

func (c *Console) serviceAccounts(v *visit) error {
	q := v.r.URL.Query()
	states, state := tabs(v.r.URL, "state", [2]string{"", "In use"}, [2]string{"any", "With archived ones"})
	find, text := sought(v.r.URL, "Search by name", "Name")
	all, more, err := c.cfg.ServiceAccounts.List(v.r.Context(), v.who, v.who.Organization, serviceaccount.Filter{Archived: state == "any", Search: text,
		After: id.ServiceAccount(q.Get("after")), Before: id.ServiceAccount(q.Get("before")), Limit: pageRows})
	if err != nil {
		return err
	}
	var rows []serviceAccountRow
	for _, a := range all {
		rows = append(rows, c.serviceAccountRow(a))
	}
	var turn paging
	if len(all) > 0 {
		turn = keyset(v.r.URL, string(all[0].ID), string(all[len(all)-1].ID), more)
	}
	return v.show(http.StatusOK, "service-accounts", view{Title: "Service accounts", Lead: "For what runs without a person: builds, nightly jobs, services.", Notice: v.notice(),
		Action: &link{"/service-accounts/new", "Make a service account"}, Body: struct {
			Rows     []serviceAccountRow
			States   []tab
			Search   search
			Filtered bool
			Paging   paging
		}{rows, states, find, text != "" || state != "", turn}})
}

func serviceAccountForm(a serviceaccount.Account) *form {
	f := &form{Action: "/service-accounts", Submit: "Make the service account", Cancel: "/service-accounts", Fields: []field{
		{Kind: "text", Name: "name", Label: "Name", Help: "Lower-case letters, digits and hyphens.", Value: a.Name, Autocomplete: "off", Placeholder: "nightly-build", Length: 64, Focus: a.ID == ""},
		{Kind: "text", Name: "description", Label: "Description", Help: "What it runs, and whom to ask.", Value: a.Description, Autocomplete: "off", Length: 1000, Optional: true}}}
	if a.ID != "" {
		f.Action, f.Submit, f.Cancel, f.Hidden = "/service-accounts/"+string(a.ID), "Save", "", []hidden{{"version", strconv.FormatInt(a.Version, 10)}}
	}
	return f
}

var newServiceAccountView = view{Title: "Make a service account", Lead: "It can do nothing until it has a key."}

func (c *Console) newServiceAccount(v *visit) error {
	if err := access.Check(v.who, caller.ManageServiceAccounts, v.who.Organization); err != nil {
		return err
	}
	w := newServiceAccountView
	w.Body = serviceAccountForm(serviceaccount.Account{})
	return v.show(http.StatusOK, "form", w)
}

func (c *Console) createServiceAccount(v *visit) error {
	typed, err := v.readForm()
	if err != nil {
		return err
	}
	a, err := c.cfg.ServiceAccounts.Create(v.r.Context(), v.who, v.who.Organization, serviceaccount.New{Name: typed.Get("name"), Description: typed.Get("description")})
	if err != nil {
		f, w := serviceAccountForm(serviceaccount.Account{}), newServiceAccountView
		w.Body = f
		return v.again("form", w, f, typed, err)
	}
	return v.redirect("/service-accounts/" + string(a.ID) + "?done=service")
}

func (v *visit) namedServiceAccount() (serviceaccount.Account, error) {
	return v.c.cfg.ServiceAccounts.Get(v.r.Context(), v.who, v.who.Organization, id.ServiceAccount(v.r.PathValue("id")))
}

func (c *Console) serviceAccountPage(v *visit) error {
	a, err := v.namedServiceAccount()
	if err != nil {
		return err
	}
	w, _, err := c.oneServiceAccount(v, a)
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "service-account", w)
}

func (c *Console) oneServiceAccount(v *visit, a serviceaccount.Account) (view, *form, error) {
	ctx, o := v.r.Context(), v.who.Organization
	in, _, err := c.cfg.Workspaces.Of(ctx, v.who, o, string(a.ID), workspace.MemberFilter{Limit: workspace.Most})
	if err != nil && !fault.Is(err, fault.Denied) {
		return view{}, nil, err
	}
	var places []workspaceMemberRow
	for _, m := range in {
		places = append(places, workspaceMemberRow{ID: string(m.Workspace), Name: m.WorkspaceName, Role: workspaceRoleName(string(m.Role)), Since: c.moment(m.CreatedAt)})
	}
	keys, more, err := c.cfg.Keys.List(ctx, v.who, o, apikey.Filter{ServiceAccount: a.ID, Limit: 10})
	if err != nil && !fault.Is(err, fault.Denied) {
		return view{}, nil, err
	}
	var rows []keyRow
	for _, k := range keys {
		rows = append(rows, c.keyRow(k))
	}
	f := serviceAccountForm(a)
	w := view{Title: a.Name, Lead: a.Description, Notice: v.notice(), Body: struct {
		serviceAccountRow
		Places   []workspaceMemberRow
		KeyRows  []keyRow
		MoreKeys bool
		Form     *form
	}{c.serviceAccountRow(a), places, rows, more, f}}
	if !a.Archived() {
		w.Action = &link{"/keys/new?service_account=" + string(a.ID), "Create a key"}
	}
	return w, f, nil
}

func (c *Console) saveServiceAccount(v *visit) error {
	typed, err := v.readForm()
	if err != nil {
		return err
	}
	a, err := v.namedServiceAccount()
	if err != nil {
		return err
	}
	version, err := strconv.ParseInt(typed.Get("version"), 10, 64)
	if err != nil || version < 1 {
		return fault.New(fault.Invalid, "the form is not whole")
	}
	name, description := typed.Get("name"), typed.Get("description")
	if _, failed := c.cfg.ServiceAccounts.Update(v.r.Context(), v.who, v.who.Organization, a.ID, serviceaccount.Change{Version: version, Name: &name, Description: &description}); failed != nil {
		w, f, err := c.oneServiceAccount(v, a)
		if err != nil {
			return err
		}
		return v.again("service-account", w, f, typed, failed)
	}
	return v.redirect("/service-accounts/" + string(a.ID) + "?done=saved")
}

func (c *Console) archiveServiceAccountForm(v *visit) error {
	a, err := v.namedServiceAccount()
	if err != nil {
		return err
	}
	page := "/service-accounts/" + string(a.ID)
	return v.show(http.StatusOK, "confirm", view{Title: "Archive the service account “" + a.Name + "”?", Lead: "This cannot be undone.", Body: confirm{Danger: true,
		Effects: []string{count(a.Keys, "active key") + " of it will be refused within a second, for good, also in the middle of an answer.", "It leaves the workspaces it is in. What it used stays in the record."},
		Action:  page + "/archive", Submit: "Archive " + a.Name, Cancel: page}})
}

func (c *Console) archiveServiceAccount(v *visit) error {
	a, err := c.cfg.ServiceAccounts.Archive(v.r.Context(), v.who, v.who.Organization, id.ServiceAccount(v.r.PathValue("id")))
	if err != nil {
		return err
	}
	return v.redirect("/service-accounts/" + string(a.ID) + "?done=archived")
}
