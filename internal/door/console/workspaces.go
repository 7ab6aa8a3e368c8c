package console

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/apikey"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/workspace"
)

var workspaceRoutes = []route{
	get("/workspaces", member, (*Console).workspaceList),
	post("/workspaces", member, (*Console).createWorkspace),
	get("/workspaces/new", member, (*Console).newWorkspace),
	get("/workspaces/{id}", member, (*Console).workspacePage),
	get("/workspaces/{id}/settings", member, (*Console).workspaceSettings),
	post("/workspaces/{id}/settings", member, (*Console).saveWorkspace),
	get("/workspaces/{id}/archive", member, (*Console).archiveWorkspaceForm),
	post("/workspaces/{id}/archive", member, (*Console).archiveWorkspace),
	get("/workspaces/{id}/members/new", member, (*Console).newWorkspaceMember),
	post("/workspaces/{id}/members", member, (*Console).addWorkspaceMember),
	get("/workspaces/{id}/members/{principal}", member, (*Console).workspaceMemberForm),
	post("/workspaces/{id}/members/{principal}", member, (*Console).setWorkspaceRole),
	get("/workspaces/{id}/members/{principal}/remove", member, (*Console).removeWorkspaceMemberForm),
	post("/workspaces/{id}/members/{principal}/remove", member, (*Console).removeWorkspaceMember),
}

type workspaceRow struct {
	ID, Name, Members, Keys, Models string
	ClaudeCode, Archived            bool
	Made                            moment
}

// upTo is a number that was counted no further than a list counts.
func upTo(n int) string {
	if n >= 250 {
		return "250 or more"
	}
	return strconv.Itoa(n)
}

func (c *Console) workspaceRow(w workspace.Workspace) workspaceRow {
	row := workspaceRow{ID: string(w.ID), Name: short(w.Name), Members: upTo(w.Members), Keys: upTo(w.Keys), Models: "All that the organization allows",
		ClaudeCode: w.Kind == workspace.ClaudeCode, Archived: w.Archived(), Made: c.moment(w.CreatedAt)}
	if len(w.Models) > 0 {
		row.Models = count(len(w.Models), "model")
	}
	return row
}

func (c *Console) workspaceList(v *visit) error {
	states, state := tabs(v.r.URL, "state", [2]string{"", "In use"}, [2]string{"any", "With archived ones"})
	find, text := sought(v.r.URL, "Search by name", "Name")
	q := v.r.URL.Query()
	f := workspace.Filter{Archived: state == "any", Search: text, After: id.Workspace(q.Get("after")), Before: id.Workspace(q.Get("before")), Limit: pageRows}
	all, more, err := c.cfg.Workspaces.List(v.r.Context(), v.who, v.who.Organization, f)
	if err != nil {
		return err
	}
	var rows []workspaceRow
	for _, w := range all {
		rows = append(rows, c.workspaceRow(w))
	}
	var turn paging
	if len(all) > 0 {
		turn = keyset(v.r.URL, string(all[0].ID), string(all[len(all)-1].ID), more)
	}
	w := view{Title: "Workspaces", Lead: "Parts of the organization, each with its members, keys and models.", Notice: v.notice(), Body: struct {
		Rows      []workspaceRow
		States    []tab
		Search    search
		Filtered  bool
		CanCreate bool
		Paging    paging
	}{rows, states, find, text != "" || state != "", v.who.Rights.Has(caller.ManageWorkspaces), turn}}
	if v.who.Rights.Has(caller.ManageWorkspaces) {
		w.Action = &link{"/workspaces/new", "Make a workspace"}
	}
	return v.show(http.StatusOK, "workspaces", w)
}

func (v *visit) namedWorkspace() (workspace.Workspace, error) {
	return v.c.cfg.Workspaces.Get(v.r.Context(), v.who, v.who.Organization, id.Workspace(v.r.PathValue("id")))
}

type workspaceMemberRow struct {
	ID, Name, Email, Role string
	Service               bool
	Since                 moment
}

func (c *Console) workspacePage(v *visit) error {
	w, err := v.namedWorkspace()
	if err != nil {
		return err
	}
	ctx, o, q := v.r.Context(), v.who.Organization, v.r.URL.Query()
	may, err := c.cfg.Workspaces.May(ctx, v.who, o, w.ID)
	if err != nil {
		return err
	}
	sorts, sort := tabs(v.r.URL, "sort", [2]string{"", "Everybody"}, [2]string{"user_", "People"}, [2]string{"svac_", "Service accounts"})
	find, text := sought(v.r.URL, "Search by name or address", "Name or address")
	in, more, err := c.cfg.Workspaces.Members(ctx, v.who, o, w.ID, workspace.MemberFilter{Sort: workspace.Sort(sort), Search: text, After: q.Get("after"), Before: q.Get("before"), Limit: pageRows})
	if err != nil {
		return err
	}
	var rows []workspaceMemberRow
	for _, m := range in {
		rows = append(rows, workspaceMemberRow{m.Principal, short(m.Name), m.Email, workspaceRoleName(string(m.Role)), strings.HasPrefix(m.Principal, string(workspace.ServiceAccounts)), c.moment(m.CreatedAt)})
	}
	var turn paging
	if len(in) > 0 {
		turn = keyset(v.r.URL, in[0].Principal, in[len(in)-1].Principal, more)
	}
	runs := may.Has(access.RunWorkspace) && !w.Archived()
	b := struct {
		workspaceRow
		Color, Version      string
		Names, Tags         []string
		PerMinute, AtOnce   int
		KeyCount            string // empty: the visitor may not see the keys
		Sorts               []tab
		Search              search
		Rows                []workspaceMemberRow
		Filtered            bool
		Runs, Archives, Has bool
		Paging              paging
	}{workspaceRow: c.workspaceRow(w), Color: w.Color, Names: w.Models, PerMinute: w.Limits.PerMinute, AtOnce: w.Limits.Concurrent, Sorts: sorts, Search: find, Rows: rows,
		Filtered: sort != "" || text != "", Runs: runs, Archives: runs && w.Kind != workspace.ClaudeCode && v.who.Rights.Has(caller.ManageWorkspaces),
		Has: may.Has(access.HoldCredentials) && !w.Archived() && w.Kind == workspace.Ordinary && v.who.Rights.Has(caller.OwnKeys), Paging: turn}
	for k, value := range w.Tags {
		b.Tags = append(b.Tags, k+"="+value)
	}
	slices.Sort(b.Tags)
	if may.Has(access.RunWorkspace) || v.who.Rights.Has(caller.AllKeys) {
		n, err := c.cfg.Keys.Count(ctx, v.who, o, apikey.Filter{Workspace: &w.ID})
		if err != nil {
			return err
		}
		b.KeyCount = count(n, "active key")
	}
	page := view{Title: w.Name, Lead: "Who is in this workspace, and what it allows.", Notice: v.notice(), Body: b}
	if runs {
		page.Action = &link{"/workspaces/" + string(w.ID) + "/members/new", "Add somebody"}
	}
	return v.show(http.StatusOK, "workspace", page)
}

// workspaceForm is the form that makes a workspace, or changes one.
func workspaceForm(w workspace.Workspace) *form {
	orEmpty := func(n int) string {
		if n == 0 {
			return ""
		}
		return strconv.Itoa(n)
	}
	f := &form{Action: "/workspaces", Submit: "Make the workspace", Cancel: "/workspaces", Fields: []field{
		{Kind: "text", Name: "name", Label: "Name", Value: w.Name, Autocomplete: "off", Length: 40, Focus: w.ID == ""},
		{Kind: "color", Name: "display_color", Label: "Colour", Help: "Marks it in lists.", Value: w.Color},
		{Kind: "lines", Name: "models", Label: "Models", Help: "One a line. Empty: every model that the organization allows. What the organization does not allow stays forbidden here.",
			Value: strings.Join(w.Models, "\n"), Mono: true, Optional: true},
	}}
	if w.ID == "" {
		return f
	}
	f.Action, f.Submit, f.Cancel = "/workspaces/"+string(w.ID)+"/settings", "Save", "/workspaces/"+string(w.ID)
	f.Hidden = []hidden{{"version", strconv.FormatInt(w.Version, 10)}}
	f.Fields = append(f.Fields, field{Kind: "number", Name: "per_minute", Label: "Requests a minute", Help: "Of each key and sign-in here. Empty: as many as the server allows.", Value: orEmpty(w.Limits.PerMinute), Optional: true},
		field{Kind: "number", Name: "at_once", Label: "Requests at once", Help: "Of each key and sign-in here. Empty: as many as the server allows.", Value: orEmpty(w.Limits.Concurrent), Optional: true})
	if w.Kind == workspace.ClaudeCode { // it keeps its name
		f.Fields = f.Fields[1:]
	}
	return f
}

var newWorkspaceView = view{Title: "Make a workspace", Lead: "Nobody is in it at first but those who manage workspaces."}

func (c *Console) newWorkspace(v *visit) error {
	if err := access.Check(v.who, caller.ManageWorkspaces, v.who.Organization); err != nil {
		return err
	}
	w := newWorkspaceView
	w.Body = workspaceForm(workspace.Workspace{Color: workspace.DefaultColor})
	return v.show(http.StatusOK, "form", w)
}

func (c *Console) createWorkspace(v *visit) error {
	typed, err := v.readForm()
	if err != nil {
		return err
	}
	made, err := c.cfg.Workspaces.Create(v.r.Context(), v.who, v.who.Organization, workspace.New{Name: typed.Get("name"), Color: typed.Get("display_color"), Models: strings.Fields(typed.Get("models"))})
	if err != nil {
		f, w := workspaceForm(workspace.Workspace{}), newWorkspaceView
		w.Body = f
		return v.again("form", w, f, typed, err)
	}
	return v.redirect("/workspaces/" + string(made.ID) + "?done=workspace")
}

// workspaceToRun is the named workspace, for who runs it.
func (v *visit) workspaceToRun() (workspace.Workspace, error) {
	w, err := v.namedWorkspace()
	if err != nil {
		return w, err
	}
	may, err := v.c.cfg.Workspaces.May(v.r.Context(), v.who, v.who.Organization, w.ID)
	switch {
	case err != nil:
		return w, err
	case !may.Has(access.RunWorkspace):
		return w, fault.New(fault.Denied, "the workspace %q is run by its admins", w.Name).WithHint("ask one of them")
	case w.Archived():
		return w, fault.New(fault.Invalid, "the workspace %q is archived", w.Name)
	}
	return w, nil
}

func (c *Console) workspaceSettings(v *visit) error {
	w, err := v.workspaceToRun()
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "form", view{Title: "Settings of " + w.Name, Lead: "They hold for the next request.", Body: workspaceForm(w)})
}

// limitOf reads a field that may be empty.
func limitOf(typed, name string) (int, error) {
	if typed = strings.TrimSpace(typed); typed == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(typed)
	if err != nil || n < 1 {
		return 0, fault.New(fault.Invalid, "a limit is a number from 1 on").At(name)
	}
	return n, nil
}

func (c *Console) saveWorkspace(v *visit) error {
	typed, err := v.readForm()
	if err != nil {
		return err
	}
	w, err := v.namedWorkspace()
	if err != nil {
		return err
	}
	version, err := strconv.ParseInt(typed.Get("version"), 10, 64)
	if err != nil || version < 1 {
		return fault.New(fault.Invalid, "the form is not whole")
	}
	color, models := typed.Get("display_color"), strings.Fields(typed.Get("models"))
	change := workspace.Change{Version: version, Color: &color, Models: &models, Limits: &workspace.Limits{}}
	if typed.Has("name") {
		name := typed.Get("name")
		change.Name = &name
	}
	var failed error
	if change.Limits.PerMinute, failed = limitOf(typed.Get("per_minute"), "per_minute"); failed == nil {
		change.Limits.Concurrent, failed = limitOf(typed.Get("at_once"), "at_once")
	}
	if failed == nil {
		_, failed = c.cfg.Workspaces.Update(v.r.Context(), v.who, v.who.Organization, w.ID, change)
	}
	if failed != nil {
		f := workspaceForm(w)
		return v.again("form", view{Title: "Settings of " + w.Name, Lead: "They hold for the next request.", Body: f}, f, typed, failed)
	}
	return v.redirect("/workspaces/" + string(w.ID) + "?done=saved")
}

func (c *Console) archiveWorkspaceForm(v *visit) error {
	if err := access.Check(v.who, caller.ManageWorkspaces, v.who.Organization); err != nil {
		return err
	}
	w, err := v.namedWorkspace()
	if err != nil {
		return err
	}
	keys, err := c.cfg.Keys.Count(v.r.Context(), v.who, v.who.Organization, apikey.Filter{Workspace: &w.ID})
	if err != nil {
		return err
	}
	page := "/workspaces/" + string(w.ID)
	return v.show(http.StatusOK, "confirm", view{Title: "Archive the workspace “" + w.Name + "”?", Lead: "This cannot be undone.", Body: confirm{Danger: true,
		Effects: []string{count(keys, "active key") + " in it will be refused within a second, for good, also in the middle of an answer.",
			"Its members stay in the organization, with what they have elsewhere.", "What was used and done stays in the record. The name can be used again."},
		Action: page + "/archive", Submit: "Archive " + w.Name, Cancel: page}})
}

func (c *Console) archiveWorkspace(v *visit) error {
	w, err := c.cfg.Workspaces.Archive(v.r.Context(), v.who, v.who.Organization, id.Workspace(v.r.PathValue("id")))
	if err != nil {
		return err
	}
	return v.redirect("/workspaces/" + string(w.ID) + "?done=archived")
}
