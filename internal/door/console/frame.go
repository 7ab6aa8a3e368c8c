package console

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/caller"
)

//go:embed templates
var templateFiles embed.FS

// pages are the parsed templates by their name, each with the frame around it.
type pages map[string]*template.Template

// view is what a template is given.
type view struct {
	Title   string // of the page, as a heading
	Lead    string // one sentence that says what this is
	Notice  string // what has just been done
	Card    bool   // outside the console: one centred card
	Action  *link  // the primary act
	Problem *problem
	Body    any

	// Filled in by show:

	Name         string // of the page, for the style sheet
	Theme        string // "light", "dark" or "" for the system's
	Here         string // this page, to come back to
	Host         string
	Demo         bool
	Request      string
	Person       *person
	Organization string
	Several      bool // whether there are more organizations to choose from
	Nav          []navGroup
}

type link struct{ To, Text string }

type person struct{ Name, Email, Role string }

type navGroup struct {
	Title string
	Items []navItem
}

type navItem struct {
	To, Text string
	Current  bool
}

func loadPages(a assets) pages {
	funcs := template.FuncMap{
		"asset": func(name string) (string, error) {
			to, ok := a.urls[name]
			if !ok {
				return "", fmt.Errorf("there is no asset %q", name)
			}
			return to, nil
		},
		"inc": func(n int) int { return n + 1 },
		// sorted is the head of a column, for the template "sort".
		"sorted": func(by map[string]sorting, order, text string) (head struct {
			sorting
			Text string
		}) {
			head.sorting, head.Text = by[order], text
			return head
		},
	}
	frame := template.Must(template.New("frame").Funcs(funcs).ParseFS(templateFiles, "templates/frame/*.html"))
	all := pages{}
	files, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		panic(err) // the pattern is wrong
	}
	for _, file := range files {
		name := strings.TrimSuffix(path.Base(file), ".html")
		all[name] = template.Must(template.Must(frame.Clone()).ParseFS(templateFiles, file))
	}
	return all
}

// show answers with a page.
func (v *visit) show(status int, name string, w view) error {
	w.Name, w.Theme, w.Here = name, v.themeChoice(), "/"
	if v.r.Method == http.MethodGet {
		w.Here = local(v.r.URL.RequestURI())
	}
	w.Host, w.Demo = v.c.host, v.c.cfg.Demo
	if v.who.Kind != caller.Nobody {
		w.Person = &person{Name: v.who.Name, Email: v.who.Email, Role: roleName(v.who.Role)}
		w.Organization, w.Several = v.organizationName(), len(v.memberships) > 1
		w.Nav = navigation(v.who.Rights, v.r.URL.Path)
	}
	page, ok := v.c.pages[name]
	if !ok {
		return fmt.Errorf("there is no page %q", name)
	}
	var out bytes.Buffer
	if err := page.ExecuteTemplate(&out, "frame", w); err != nil {
		return fmt.Errorf("making the page %s: %w", name, err)
	}
	h := v.w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", v.policy())
	h.Set("Content-Length", strconv.Itoa(out.Len()))
	v.w.WriteHeader(status)
	if v.r.Method != http.MethodHead {
		_, _ = v.w.Write(out.Bytes())
	}
	return nil
}

// policy is the page's Content-Security-Policy. Browsers hold a form's redirects
// to form-action as well, so a page that leads elsewhere must say so.
func (v *visit) policy() string {
	action := "'self'"
	if v.formAction != "" {
		action += " " + v.formAction
	}
	return "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; form-action " + action +
		"; frame-ancestors 'none'; base-uri 'none'"
}

func (v *visit) organizationName() string {
	for _, m := range v.memberships {
		if m.Organization == v.who.Organization {
			return m.OrganizationName
		}
	}
	return ""
}

// navigation is what a visitor with these rights can go to.
func navigation(rights caller.Rights, at string) []navGroup {
	item := func(to, text string, any ...caller.Right) navItem {
		for _, right := range any {
			if rights.Has(right) {
				return navItem{To: to, Text: text, Current: to == at || (to != "/" && to != "/settings" && strings.HasPrefix(at, to+"/"))}
			}
		}
		return navItem{}
	}
	all := []navGroup{
		{"", []navItem{item("/", "Home", caller.ReadOrganization)}},
		{"People", []navItem{item("/members", "Members", caller.ReadMembers),
			item("/groups", "Groups", caller.ReadMembers, caller.ManageRoles)}},
		{"Access", []navItem{
			item("/roles", "Roles", caller.ReadMembers, caller.ManageRoles),
			item("/keys", "API keys", caller.OwnKeys, caller.AllKeys),
			item("/sessions", "Devices and sessions", caller.OwnSessions, caller.AllSessions)}},
		{"Models", []navItem{
			item("/upstreams", "Upstreams", caller.ManageUpstreams),
			item("/models", "Allowed models", caller.ManageOrganization)}},
		{"Spend", []navItem{item("/usage", "Usage", caller.OwnUsage, caller.AllUsage)}},
		{"Activity", []navItem{item("/activity", "The record", caller.ReadActivity)}},
		{"Settings", []navItem{
			item("/settings", "Organization", caller.ManageOrganization),
			item("/settings/plan", "Plan and seats", caller.ReadBilling),
			item("/mail", "Mail", caller.ManageMembers),
		}},
	}
	var some []navGroup
	for _, group := range all {
		kept := navGroup{Title: group.Title}
		for _, i := range group.Items {
			if i.To != "" {
				kept.Items = append(kept.Items, i)
			}
		}
		if len(kept.Items) > 0 {
			some = append(some, kept)
		}
	}
	return some
}
