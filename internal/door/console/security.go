package console

import (
	"html/template"
	"net/http"
	"slices"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/account"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

var securityRoutes = []route{
	get("/account/security", account_, (*Console).security),
	post("/account/password", account_, (*Console).changePassword),
	get("/account/password/remove", account_, (*Console).removePasswordForm),
	post("/account/password/remove", account_, (*Console).removePassword),
	get("/account/passkeys/new", account_, (*Console).newPasskey),
	post("/account/passkeys", account_, (*Console).addPasskey),
	get("/account/passkeys/{id}/remove", account_, (*Console).removePasskeyForm),
	post("/account/passkeys/{id}/remove", account_, (*Console).removePasskey),
	get("/account/app", account_, (*Console).appForm),
	post("/account/app", account_, (*Console).enableApp),
	get("/account/app/remove", account_, (*Console).removeAppForm),
	post("/account/app/remove", account_, (*Console).removeApp),
	get("/account/codes", account_, (*Console).codesForm),
	post("/account/codes", account_, (*Console).newCodes),
}

type passkeyRow struct {
	ID, Name   string
	Made, Used moment
}

type securityPage struct {
	Tabs        []tab
	Wanted      string // the organization that wants a second factor first
	Password    *form
	HasPassword bool
	Passkeys    []passkeyRow
	CanPasskey  bool
	App         bool
	Second      bool
	Codes       string
	FewCodes    bool
	Unfinished  []historyRow // sign-ins of the last days that got past the first step and no further
}

const (
	unfinishedDays = 14
	maxUnfinished  = 5
)

// unfinished are the caller's sign-ins that did not take the second step.
func (c *Console) unfinished(v *visit) (rows []historyRow, err error) {
	events, err := c.cfg.Accounts.History(v.r.Context(), v.who)
	since := c.cfg.Now().AddDate(0, 0, -unfinishedDays)
	for _, e := range events {
		if e.Type == audit.SignInUnfinished && e.At.After(since) && len(rows) < maxUnfinished {
			rows = append(rows, c.historyRow(e))
		}
	}
	return rows, err
}

const securityPath = "/account/security"

func (c *Console) securityPage(v *visit) (view, *securityPage, error) {
	p, err := c.cfg.Accounts.Profile(v.r.Context(), v.who)
	if err != nil {
		return view{}, nil, err
	}
	keys, err := c.cfg.Accounts.Passkeys(v.r.Context(), v.who)
	if err != nil {
		return view{}, nil, err
	}
	page := &securityPage{Tabs: v.selfTabs(), HasPassword: p.Factors.Password, CanPasskey: c.cfg.Accounts.HasPasskeys(), App: p.TOTP, Second: p.Second(),
		Codes: count(p.Codes, "recovery code"), FewCodes: p.Codes < 3, Password: passwordForm(p.Factors.Password)}
	for _, k := range keys {
		page.Passkeys = append(page.Passkeys, passkeyRow{string(k.ID), short(k.Name), c.moment(k.CreatedAt), c.moment(k.UsedAt)})
	}
	for _, m := range v.memberships {
		if m.Organization == v.who.Enrol {
			page.Wanted = m.OrganizationName
		}
	}
	if page.Unfinished, err = c.unfinished(v); err != nil {
		return view{}, nil, err
	}
	return view{Title: "Your account", Lead: "How you prove that it is you.", Notice: v.notice(), Body: page}, page, nil
}

func passwordForm(has bool) *form {
	f := &form{Action: "/account/password", Submit: "Set a password", Fields: []field{
		{Kind: "password", Name: "password", Label: "New password", Help: passwordHelp + " Your other browsers are signed out.", Autocomplete: "new-password"}}}
	if has {
		f.Submit = "Change the password"
		f.Fields = append([]field{{Kind: "password", Name: "current", Label: "Current password", Autocomplete: "current-password"}}, f.Fields...)
	}
	return f
}

func (c *Console) security(v *visit) error {
	w, _, err := c.securityPage(v)
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "security", w)
}

// unconfirmed leads to a fresh proof if that is what an act lacks, and from
// there to a page.
func (v *visit) unconfirmed(err error, back string) error {
	if account.Unconfirmed(err) {
		return v.goTo("/account/confirm", back)
	}
	return err
}

// confirmed makes sure of a fresh proof before a page is shown whose act needs one.
func (v *visit) confirmed() error {
	return v.unconfirmed(v.c.cfg.Accounts.Confirmed(v.r.Context(), v.who, v.token), v.here())
}

func (c *Console) changePassword(v *visit) error {
	typed, err := v.readForm()
	if err != nil {
		return err
	}
	err = c.cfg.Accounts.SetPassword(v.r.Context(), v.who, v.token, secret.New(typed.Get("current")), secret.New(typed.Get("password")))
	if account.Unconfirmed(err) {
		return v.unconfirmed(err, securityPath)
	}
	if err != nil {
		w, page, failed := c.securityPage(v)
		if failed != nil {
			return failed
		}
		return v.again("security", w, page.Password, typed, err)
	}
	return v.redirect(securityPath + "?done=password")
}

func (c *Console) removePasswordForm(v *visit) error {
	if err := v.confirmed(); err != nil {
		return err
	}
	return v.show(http.StatusOK, "confirm", view{Title: "Remove your password?", Body: confirm{Danger: true,
		Effects: []string{"You sign in with a passkey from then on.", "You can set a password again at any time while you are signed in."},
		Action:  v.r.URL.Path, Submit: "Remove the password", Cancel: securityPath}})
}

func (c *Console) removePassword(v *visit) error {
	if err := c.cfg.Accounts.RemovePassword(v.r.Context(), v.who, v.token); err != nil {
		return v.unconfirmed(err, "/account/password/remove")
	}
	return v.redirect(securityPath + "?done=no-password")
}

func (c *Console) newPasskeyView(v *visit) (view, *form, error) {
	options, err := c.cfg.Accounts.NewPasskey(v.r.Context(), v.who, v.token)
	if err != nil {
		return view{}, nil, v.unconfirmed(err, "/account/passkeys/new")
	}
	f := &form{Fields: []field{{Kind: "text", Name: "name", Label: "Name", Value: "", Placeholder: "Work laptop", Help: "So that you know it again in the list.", Autocomplete: "off", Length: 200, Optional: true, Focus: true}}}
	return view{Title: "Add a passkey", Lead: "A passkey is kept by this device, your phone or a security key. It opens your account with a touch or a look, and cannot be given away by mistake.", Body: struct {
		Passkey passkey
		Back    link
	}{passkey{Action: "/account/passkeys", Create: true, Options: options, Fields: f.Fields, Submit: "Make a passkey", Main: true}, link{securityPath, "Cancel"}}}, f, nil
}

func (c *Console) newPasskey(v *visit) error {
	w, _, err := c.newPasskeyView(v)
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "passkey", w)
}

func (c *Console) addPasskey(v *visit) error {
	typed, err := v.readForm()
	if err != nil {
		return err
	}
	codes, err := c.cfg.Accounts.AddPasskey(v.r.Context(), v.who, v.token, typed.Get("name"), typed.Get("response"))
	if account.Unconfirmed(err) {
		return v.unconfirmed(err, "/account/passkeys/new")
	}
	if err != nil {
		w, f, failed := c.newPasskeyView(v)
		if failed != nil {
			return failed
		}
		return v.again("passkey", w, f, typed, err)
	}
	return v.codes(codes, "passkey")
}

// codes shows fresh recovery codes, if there are any, and goes back to the
// sign-in methods.
func (v *visit) codes(codes []secret.Text, done string) error {
	next := securityPath + "?done=" + done
	if len(codes) == 0 {
		return v.redirect(next)
	}
	var lines []string
	for _, code := range codes {
		lines = append(lines, code.Reveal())
	}
	return v.show(http.StatusOK, "once", view{Title: "Your recovery codes", Body: once{Label: "Store these now", Value: strings.Join(lines, "\n"),
		Notes: []string{"They are shown this once. Each gets you in a single time in place of your second factor, when you have lost it.", "Keep them where you keep your passwords, or on paper; not on the device that they stand in for."},
		Next:  link{next, "I have stored them"}}})
}

func (c *Console) removePasskeyForm(v *visit) error {
	if err := v.confirmed(); err != nil {
		return err
	}
	keys, err := c.cfg.Accounts.Passkeys(v.r.Context(), v.who)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(keys, func(k account.Passkey) bool { return string(k.ID) == v.r.PathValue("id") })
	if at < 0 {
		return fault.New(fault.NotFound, "you have no such passkey")
	}
	return v.show(http.StatusOK, "confirm", view{Title: "Remove the passkey “" + short(keys[at].Name) + "”?", Body: confirm{Danger: true,
		Effects: []string{"It opens your account no more. You can delete it from the device as well.", "If it is your only second factor, your recovery codes go with it."},
		Action:  v.r.URL.Path, Submit: "Remove the passkey", Cancel: securityPath}})
}

func (c *Console) removePasskey(v *visit) error {
	if err := c.cfg.Accounts.RemovePasskey(v.r.Context(), v.who, v.token, id.Passkey(v.r.PathValue("id"))); err != nil {
		return v.unconfirmed(err, securityPath)
	}
	return v.redirect(securityPath + "?done=no-passkey")
}

type appPage struct {
	Picture template.URL
	Secret  string
	Form    *form
}

func (c *Console) appView(v *visit) (view, *form, error) {
	e, err := c.cfg.Accounts.BeginTOTP(v.r.Context(), v.who, v.token)
	if err != nil {
		return view{}, nil, v.unconfirmed(err, "/account/app")
	}
	f := &form{Action: "/account/app", Submit: "Turn it on", Cancel: securityPath, Fields: []field{
		{Kind: "text", Name: "code", Label: "Code", Help: "Six digits, as the app shows them now.", Autocomplete: "one-time-code", Length: 20, Focus: true}}}
	return view{Title: "Set up an authenticator app", Lead: "An app on your phone that shows a new code every half minute.", Body: appPage{
		template.URL(e.Picture.Reveal()), grouped(e.Secret.Reveal()), f}}, f, nil
}

// grouped is a secret in groups of four, as people type it.
func grouped(s string) string {
	var groups []string
	for chunk := range slices.Chunk([]byte(s), 4) {
		groups = append(groups, string(chunk))
	}
	return strings.Join(groups, " ")
}

func (c *Console) appForm(v *visit) error {
	w, _, err := c.appView(v)
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "app", w)
}

func (c *Console) enableApp(v *visit) error {
	typed, err := v.readForm()
	if err != nil {
		return err
	}
	codes, err := c.cfg.Accounts.EnableTOTP(v.r.Context(), v.who, v.token, typed.Get("code"))
	if account.Unconfirmed(err) {
		return v.unconfirmed(err, "/account/app")
	}
	if err != nil {
		w, f, failed := c.appView(v)
		if failed != nil {
			return failed
		}
		return v.again("app", w, f, nil, err)
	}
	return v.codes(codes, "app")
}

func (c *Console) removeAppForm(v *visit) error {
	if err := v.confirmed(); err != nil {
		return err
	}
	return v.show(http.StatusOK, "confirm", view{Title: "Remove your authenticator app?", Body: confirm{Danger: true,
		Effects: []string{"Its codes are not asked for any more, and not taken.", "If it is your only second factor, your recovery codes go with it, and whoever knows your password gets in.",
			"An organization that wants a second factor lets you do nothing until you have one again."},
		Action: v.r.URL.Path, Submit: "Remove the app", Cancel: securityPath}})
}

func (c *Console) removeApp(v *visit) error {
	if err := c.cfg.Accounts.DisableTOTP(v.r.Context(), v.who, v.token); err != nil {
		return v.unconfirmed(err, securityPath)
	}
	return v.redirect(securityPath + "?done=no-app")
}

func (c *Console) codesForm(v *visit) error {
	if err := v.confirmed(); err != nil {
		return err
	}
	return v.show(http.StatusOK, "confirm", view{Title: "Make new recovery codes?", Body: confirm{
		Effects: []string{"You get ten new codes, shown once.", "The ones that you have now work no more."},
		Action:  v.r.URL.Path, Submit: "Make new codes", Cancel: securityPath}})
}

func (c *Console) newCodes(v *visit) error {
	codes, err := c.cfg.Accounts.NewRecoveryCodes(v.r.Context(), v.who, v.token)
	if err != nil {
		return v.unconfirmed(err, "/account/codes")
	}
	return v.codes(codes, "")
}
