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
	"github.com/gatehouse-dev/gatehouse/internal/org"
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
	Mark    *orgMark // of the organization that a card is about
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
	Whose        *orgMark // of that organization
	Several      bool     // whether there are more organizations to choose from
	Nav          []navGroup
}

type link struct{ To, Text string }

type person struct{ Name, Email, Role string }

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
		w.Several = len(v.memberships) > 1
		if m, ok := v.membership(); ok {
			w.Organization, w.Whose = m.OrganizationName, markOf(m.OrganizationName, m.OrganizationColor)
		}
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
	connect := ""
	if v.polls {
		connect = "; connect-src 'self'"
	}
	return "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; form-action " + action +
		"; frame-ancestors 'none'; base-uri 'none'" + connect
}

// membership is that in the organization in which the visitor acts.
func (v *visit) membership() (m org.Member, ok bool) {
	for _, m := range v.memberships {
		if m.Organization == v.who.Organization {
			return m, true
		}
	}
	return org.Member{}, false
}

func (v *visit) organizationName() string {
	m, _ := v.membership()
	return m.OrganizationName
}
