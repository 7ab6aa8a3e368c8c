package console

import (
	"net/http"
	"net/url"

	"github.com/gatehouse-dev/gatehouse/internal/account"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

var enterRoutes = []route{
	get("/setup/{token}", nothing, (*Console).setupForm),
	post("/setup/{token}", nothing, (*Console).setup),
	get("/link/{token}", nothing, (*Console).linkForm),
	post("/link/{token}", nothing, (*Console).link),
	get("/sign-in", anybody, (*Console).signInForm),
	post("/sign-in", anybody, (*Console).signIn),
	post("/sign-out", anybody, (*Console).signOut),
	get("/organization", account_, (*Console).organizationForm),
	post("/organization", account_, (*Console).organization),
}

func setupPage(path string) (view, *form) {
	f := &form{Action: path, Submit: "Create the organization", Fields: []field{
		{Kind: "text", Name: "organization", Label: "Organization", Help: "Its name, as your people know it.", Autocomplete: "organization", Length: 200, Focus: true},
		{Kind: "text", Name: "name", Label: "Your name", Autocomplete: "name", Length: 200, Optional: true},
		{Kind: "email", Name: "email", Label: "Your e-mail address", Autocomplete: "username", Length: 254},
		{Kind: "password", Name: "password", Label: "Password", Help: passwordHelp, Autocomplete: "new-password"},
	}}
	return view{Card: true, Title: "Set up Gatehouse", Body: f,
		Lead: "You become the primary owner of the first organization on this server. This link works once."}, f
}

func (c *Console) setupForm(v *visit) error {
	if _, err := c.cfg.Accounts.Look(v.r.Context(), secret.New(v.r.PathValue("token")), account.SetupLink); err != nil {
		return v.spent(err)
	}
	w, _ := setupPage(v.r.URL.Path)
	return v.show(http.StatusOK, "form", w)
}

func (c *Console) setup(v *visit) error {
	typed, err := v.readForm()
	if err != nil {
		return err
	}
	link := secret.New(v.r.PathValue("token"))
	if _, err := c.cfg.Accounts.Look(v.r.Context(), link, account.SetupLink); err != nil {
		return v.spent(err)
	}
	in, err := c.cfg.Accounts.Setup(v.r.Context(), link, account.First{Organization: typed.Get("organization"), Name: typed.Get("name"),
		Email: typed.Get("email"), Password: secret.New(typed.Get("password"))}, v.origin())
	if err != nil {
		w, f := setupPage(v.r.URL.Path)
		return v.again("form", w, f, typed, err)
	}
	return v.signedIn(in, "/")
}

// linkForm shows whom a sign-in link is for. It does not sign in: mail programs
// and chats open links to preview them.
func (c *Console) linkForm(v *visit) error {
	l, err := c.cfg.Accounts.Look(v.r.Context(), secret.New(v.r.PathValue("token")), account.SignInLink)
	if err != nil {
		return v.spent(err)
	}
	holder := caller.Caller{Kind: caller.Person, Way: caller.Anonymous, Account: l.Account}
	all, err := c.cfg.Accounts.Memberships(v.r.Context(), holder)
	if err != nil {
		return err
	}
	f := &form{Action: v.r.URL.Path, Submit: "Sign in"}
	if next := local(v.r.URL.Query().Get("next")); next != "/" {
		f.Hidden = []hidden{{"next", next}}
	}
	for _, m := range all {
		if m.Organization == l.Organization {
			return v.show(http.StatusOK, "link", view{Card: true, Title: "Sign in to " + m.OrganizationName, Mark: markOf(m.OrganizationName, m.OrganizationColor), Body: struct {
				Form                      *form
				Organization, Name, Email string
				Once                      bool
			}{f, m.OrganizationName, m.Name, m.Email, !l.Reusable}})
		}
	}
	return fault.New(fault.Denied, "your membership of this organization is not active").WithHint("ask an owner of the organization")
}

func (c *Console) link(v *visit) error {
	typed, err := v.readForm()
	if err != nil {
		return err
	}
	in, err := c.cfg.Accounts.SignInByLink(v.r.Context(), secret.New(v.r.PathValue("token")), v.origin())
	if err != nil {
		return v.spent(err)
	}
	return v.signedIn(in, typed.Get("next"))
}

// spent tells of a link that does not work, or not any more.
func (v *visit) spent(err error) error {
	if !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Conflict) {
		return err
	}
	told := tell(err)
	told.Title = "This link does not work"
	v.failWith(http.StatusNotFound, told)
	return errAnswered
}

// signInBody is the sign-in page: a form, and the ways around it.
type signInBody struct {
	Form     *form
	Passkeys bool
	Next     string
	SignUp   bool // strangers may make an account
}

func (c *Console) signInPage(next string) (view, *form) {
	f := &form{Action: "/sign-in", Submit: "Sign in", Fields: []field{
		{Kind: "email", Name: "email", Label: "E-mail address", Autocomplete: "username", Length: 254, Focus: true},
		{Kind: "password", Name: "password", Label: "Password", Autocomplete: "current-password"},
	}}
	if next = local(next); next != "/" {
		f.Hidden = []hidden{{"next", next}}
	}
	w := view{Card: true, Title: "Sign in", Body: signInBody{f, c.cfg.Accounts.HasPasskeys(), next, c.cfg.Strangers}}
	if to, err := url.Parse(next); err == nil {
		switch to.Path {
		case "/device":
			w.Lead = "Sign in to decide on the device that asks for approval."
		case "/oauth/authorize":
			w.Lead = "Sign in to let the gatehouse command on this computer act for you."
		}
	}
	return w, f
}

func (c *Console) signInForm(v *visit) error {
	next := v.r.URL.Query().Get("next")
	if v.who.Kind != caller.Nobody {
		return v.redirect(local(next))
	}
	needs, err := c.cfg.Accounts.NeedsSetup(v.r.Context())
	if err != nil {
		return err
	}
	if needs {
		return v.show(http.StatusOK, "unset", view{Card: true, Title: "This server has no owner yet"})
	}
	w, _ := c.signInPage(next)
	return v.show(http.StatusOK, "sign-in", w)
}

func (c *Console) signIn(v *visit) error {
	typed, err := v.readForm()
	if err != nil {
		return err
	}
	in, err := c.cfg.Accounts.SignInByPassword(v.r.Context(), typed.Get("email"), secret.New(typed.Get("password")), v.origin())
	if err != nil {
		w, f := c.signInPage(typed.Get("next"))
		return v.again("sign-in", w, f, typed, err)
	}
	return v.signedIn(in, typed.Get("next"))
}

func (c *Console) signOut(v *visit) error {
	if v.who.Kind != caller.Nobody {
		if err := c.cfg.Accounts.SignOut(v.r.Context(), v.who, v.token); err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
	}
	v.forget()
	if typed, err := v.readForm(); err == nil && typed.Has("next") { // from a page that is for another account
		return v.redirect(local(typed.Get("next")))
	}
	return v.redirect("/sign-in")
}

func (c *Console) organizationForm(v *visit) error {
	type choice struct {
		ID, Name, Role string
		Mark           *orgMark
		Current        bool
	}
	var choices []choice
	for _, m := range v.memberships {
		choices = append(choices, choice{string(m.Organization), m.OrganizationName, roleName(string(m.Role)), markOf(m.OrganizationName, m.OrganizationColor), m.Organization == v.who.Organization})
	}
	w := view{Card: true, Title: "Choose an organization", Lead: "You are a member of several. What you see and do next is in the one you choose."}
	if len(choices) == 0 {
		w.Title, w.Lead = "You are in no organization", "Your membership was suspended or removed. Ask an owner of your organization."
	}
	w.Body = struct {
		Choices []choice
		Next    string
		CanMake bool
	}{choices, local(v.r.URL.Query().Get("next")), c.cfg.SelfService}
	return v.show(http.StatusOK, "organization", w)
}

func (c *Console) organization(v *visit) error {
	typed, err := v.readForm()
	if err != nil {
		return err
	}
	if err := c.cfg.Accounts.Choose(v.r.Context(), v.who, v.token, id.Organization(typed.Get("organization"))); err != nil {
		return err
	}
	return v.redirect(local(typed.Get("next")))
}
