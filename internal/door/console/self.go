package console

import (
	"net/http"
	"net/url"

	"github.com/gatehouse-dev/gatehouse/internal/account"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/useragent"
)

var selfRoutes = []route{
	get("/account", account_, (*Console).profile),
	post("/account/name", account_, (*Console).rename),
	post("/account/email", account_, (*Console).askEmail),
	post("/account/email/withdraw", account_, (*Console).withdrawEmail),
	get("/account/email/{token}", account_, (*Console).emailForm),
	post("/account/email/{token}", account_, (*Console).changeEmail),
	get("/account/confirm", account_, (*Console).confirmForm),
	post("/account/confirm", account_, (*Console).confirmByPassword),
	post("/account/confirm/passkey", account_, (*Console).confirmByPasskey),
	get("/account/history", account_, (*Console).history),
}

// selfTabs lead through the pages of one's own account.
func (v *visit) selfTabs() []tab {
	var all []tab
	for _, t := range [][2]string{{"/account", "Profile"}, {"/account/security", "Sign-in methods"}, {"/account/browsers", "Signed-in browsers"}, {"/account/history", "History"}} {
		all = append(all, tab{t[0], t[1], v.r.URL.Path == t[0]})
	}
	return all
}

type profilePage struct {
	Tabs               []tab
	Email, Pending     string
	Organization, Role string
	Several            bool
	NameForm           *form
	EmailForm          *form
}

func (c *Console) profilePage(v *visit) (view, *profilePage, error) {
	p, err := c.cfg.Accounts.Profile(v.r.Context(), v.who)
	if err != nil {
		return view{}, nil, err
	}
	page := &profilePage{Tabs: v.selfTabs(), Email: p.Email, Pending: p.Pending, Organization: v.organizationName(), Role: roleName(v.who.Role), Several: len(v.memberships) > 1,
		NameForm: &form{Action: "/account/name", Submit: "Save the name", Fields: []field{
			{Kind: "text", Name: "name", Label: "Name", Value: p.Name, Autocomplete: "name", Length: 200}}},
		EmailForm: &form{Action: "/account/email", Submit: "Send a link there", Fields: []field{
			{Kind: "email", Name: "email", Label: "New e-mail address", Help: "A link goes to the new address and a notice to the old one. It changes when you open the link.", Autocomplete: "email", Length: 254}}}}
	return view{Title: "Your account", Lead: "How others see you, in every organization that you are in.", Notice: v.notice(), Body: page}, page, nil
}

func (c *Console) profile(v *visit) error {
	w, _, err := c.profilePage(v)
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "account", w)
}

func (c *Console) rename(v *visit) error {
	typed, err := v.readForm()
	if err != nil {
		return err
	}
	if err := c.cfg.Accounts.Rename(v.r.Context(), v.who, typed.Get("name")); err != nil {
		w, page, failed := c.profilePage(v)
		if failed != nil {
			return failed
		}
		return v.again("account", w, page.NameForm, typed, err)
	}
	return v.redirect("/account?done=name")
}

func (c *Console) askEmail(v *visit) error {
	typed, err := v.readForm()
	if err != nil {
		return err
	}
	err = c.cfg.Accounts.AskEmail(v.r.Context(), v.who, v.token, typed.Get("email"))
	if account.Unconfirmed(err) {
		return v.goTo("/account/confirm", "/account")
	}
	if err != nil {
		w, page, failed := c.profilePage(v)
		if failed != nil {
			return failed
		}
		return v.again("account", w, page.EmailForm, typed, err)
	}
	return v.redirect("/account?done=email-sent")
}

func (c *Console) withdrawEmail(v *visit) error {
	if err := c.cfg.Accounts.WithdrawEmail(v.r.Context(), v.who); err != nil {
		return err
	}
	return v.redirect("/account?done=kept")
}

// emailForm asks before it acts: mail programs open links to preview them.
func (c *Console) emailForm(v *visit) error {
	l, err := c.cfg.Accounts.LookMail(v.r.Context(), secret.New(v.r.PathValue("token")), account.EmailChange)
	if err != nil {
		return v.spent(err)
	}
	if l.Account != v.who.Account {
		return v.spent(fault.New(fault.NotFound, "this link was made for another account").WithHint("sign in as the person who asked for it"))
	}
	return v.show(http.StatusOK, "confirm", view{Card: true, Title: "Use this address?", Body: confirm{
		Effects: []string{"Your account has the address " + l.Email + " from then on, in every organization.", "You sign in with it, and letters go to it. Your present address opens nothing any more."},
		Action:  v.r.URL.Path, Submit: "Use this address", Cancel: "/account"}})
}

func (c *Console) changeEmail(v *visit) error {
	err := c.cfg.Accounts.ChangeEmail(v.r.Context(), v.who, secret.New(v.r.PathValue("token")))
	if fault.Is(err, fault.NotFound) {
		return v.spent(err)
	}
	if err != nil {
		return err
	}
	return v.redirect("/account?done=email")
}

type confirmPage struct {
	Password *form
	Passkey  *passkey
}

func (c *Console) confirmView(v *visit, next string) (view, *form, error) {
	p, err := c.cfg.Accounts.Profile(v.r.Context(), v.who)
	if err != nil {
		return view{}, nil, err
	}
	var page confirmPage
	f := &form{Action: "/account/confirm", Submit: "Confirm", Cancel: "/account", Hidden: []hidden{{"next", local(next)}}, Fields: []field{
		{Kind: "password", Name: "password", Label: "Your password", Autocomplete: "current-password", Focus: true}}}
	if p.Password {
		page.Password = f
	}
	if p.Passkeys > 0 && c.cfg.Accounts.HasPasskeys() {
		options, err := c.cfg.Accounts.BeginConfirm(v.r.Context(), v.who, v.token)
		if err != nil {
			return view{}, nil, err
		}
		page.Passkey = &passkey{Action: "/account/confirm/passkey", Options: options, Next: local(next), Submit: "Use a passkey", Main: !p.Password}
	}
	return view{Card: true, Title: "Is it still you?", Lead: "What you are about to change decides who gets into your account. Show once more that it is you.", Body: page}, f, nil
}

func (c *Console) confirmForm(v *visit) error {
	w, _, err := c.confirmView(v, v.r.URL.Query().Get("next"))
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "identity", w)
}

func (c *Console) confirmByPassword(v *visit) error {
	typed, err := v.readForm()
	if err != nil {
		return err
	}
	in, err := c.cfg.Accounts.ConfirmByPassword(v.r.Context(), v.who, v.token, secret.New(typed.Get("password")))
	return c.confirmedBy(v, typed, in, err)
}

func (c *Console) confirmByPasskey(v *visit) error {
	typed, err := v.readForm()
	if err != nil {
		return err
	}
	in, err := c.cfg.Accounts.ConfirmByPasskey(v.r.Context(), v.who, v.token, typed.Get("response"), v.origin())
	return c.confirmedBy(v, typed, in, err)
}

func (c *Console) confirmedBy(v *visit, typed url.Values, in account.SignedIn, err error) error {
	if err == nil {
		return v.signedIn(in, typed.Get("next"))
	}
	w, f, failed := c.confirmView(v, typed.Get("next"))
	if failed != nil {
		return failed
	}
	return v.again("identity", w, f, typed, err)
}

type historyRow struct {
	When          moment
	What, Address string
	Browser       string
	This, Alarm   bool
}

func (c *Console) historyRow(e audit.Event) historyRow {
	row := historyRow{When: c.moment(e.At), What: title(did(e)), Address: e.Detail["address"], Alarm: alarming(e.Type)}
	if agent := e.Detail["user_agent"]; agent != "" {
		row.Browser = useragent.Name(agent)
	}
	return row
}

func (c *Console) history(v *visit) error {
	events, err := c.cfg.Accounts.History(v.r.Context(), v.who)
	if err != nil {
		return err
	}
	_, this, err := c.cfg.Accounts.Browsers(v.r.Context(), v.who, v.token)
	if err != nil {
		return err
	}
	page, turn := cut(events, v.r.URL)
	var rows []historyRow
	for _, e := range page {
		row := c.historyRow(e)
		row.This = this != "" && e.Type == audit.SignedIn && e.Detail["browser"] == string(this)
		rows = append(rows, row)
	}
	return v.show(http.StatusOK, "history", view{Title: "Your account", Lead: "What happened at your door in the last 90 days. If something here was not you, sign out everywhere and choose a new password.", Body: struct {
		Tabs   []tab
		Rows   []historyRow
		Paging paging
	}{v.selfTabs(), rows, turn}})
}
