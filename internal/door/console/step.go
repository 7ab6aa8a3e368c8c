package console

import (
	"net/http"
	"net/url"

	"github.com/gatehouse-dev/gatehouse/internal/account"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

var stepRoutes = []route{
	post("/sign-in/passkey", nothing, (*Console).askPasskey),
	post("/sign-in/passkey/answer", nothing, (*Console).passkeySignIn),
	get("/sign-in/step", nothing, (*Console).stepForm),
	post("/sign-in/step", nothing, (*Console).stepByCode),
	post("/sign-in/step/passkey", nothing, (*Console).stepByPasskey),
}

// passkey is a form that a passkey fills in.
type passkey struct {
	Action  string
	Create  bool   // a new one is made
	Options string // what the browser is to do, as JSON
	Next    string
	Fields  []field
	Submit  string
	Main    bool // its button is the page's primary one
	Auto    bool // the browser is asked at once
}

func (c *Console) askPasskey(v *visit) error {
	typed, err := v.readForm()
	if err != nil {
		return err
	}
	token, options, err := c.cfg.Accounts.BeginPasskey(v.r.Context(), v.origin())
	if err != nil {
		w, f := c.signInPage(typed.Get("next"))
		return v.again("sign-in", w, f, nil, err)
	}
	v.setStep(token)
	return v.show(http.StatusOK, "passkey", view{Card: true, Title: "Sign in with a passkey", Lead: "Your browser asks which one, and makes sure that it is you.",
		Body: struct {
			Passkey passkey
			Back    link
		}{passkey{Action: "/sign-in/passkey/answer", Options: options, Next: local(typed.Get("next")), Submit: "Use a passkey", Main: true, Auto: true},
			link{withNext("/sign-in", typed.Get("next")), "Sign in in another way"}}})
}

func withNext(page, next string) string {
	if next = local(next); next != "/" {
		page += "?next=" + url.QueryEscape(next)
	}
	return page
}

func (c *Console) passkeySignIn(v *visit) error {
	typed, err := v.readForm()
	if err != nil {
		return err
	}
	in, err := c.cfg.Accounts.SignInByPasskey(v.r.Context(), v.step(), typed.Get("response"), v.origin())
	if err != nil {
		w, f := c.signInPage(typed.Get("next"))
		return v.again("sign-in", w, f, nil, err)
	}
	return v.signedIn(in, typed.Get("next"))
}

// stepPage is the second step of a sign-in: a code, a passkey, or both to
// choose from.
type stepPage struct {
	Code    *form
	App     bool // codes come from an app; otherwise they are recovery codes alone
	Passkey *passkey
}

func (c *Console) stepView(v *visit, next string) (view, *form, error) {
	has, err := c.cfg.Accounts.Step(v.r.Context(), v.step())
	if err != nil {
		return view{}, nil, err
	}
	code := field{Kind: "text", Name: "code", Label: "Recovery code", Help: "One of those that you stored when you set up your second factor.", Autocomplete: "off", Length: 40}
	if has.TOTP {
		code = field{Kind: "text", Name: "code", Label: "Code", Help: "Six digits, as your authenticator app shows them now. A recovery code works as well, once.", Autocomplete: "one-time-code", Length: 40, Focus: true}
	}
	f := &form{Action: "/sign-in/step", Hidden: []hidden{{"next", local(next)}}, Submit: "Sign in", Fields: []field{code}}
	page := stepPage{Code: f, App: has.TOTP}
	if has.Passkeys > 0 && c.cfg.Accounts.HasPasskeys() {
		options, err := c.cfg.Accounts.BeginStep(v.r.Context(), v.step())
		if err != nil {
			return view{}, nil, err
		}
		page.Passkey = &passkey{Action: "/sign-in/step/passkey", Options: options, Next: local(next), Submit: "Use a passkey", Main: !has.TOTP}
	}
	return view{Card: true, Title: "One more step", Lead: "Your account has a second factor: show that it is you.", Body: page}, f, nil
}

func (c *Console) stepForm(v *visit) error {
	next := v.r.URL.Query().Get("next")
	w, _, err := c.stepView(v, next)
	if fault.Is(err, fault.Unauthenticated) {
		return v.goTo("/sign-in", next) // it took too long
	}
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "step", w)
}

func (c *Console) stepByCode(v *visit) error {
	typed, err := v.readForm()
	if err != nil {
		return err
	}
	in, err := c.cfg.Accounts.FinishByCode(v.r.Context(), v.step(), typed.Get("code"), v.origin())
	return c.stepped(v, typed.Get("next"), in, err)
}

func (c *Console) stepByPasskey(v *visit) error {
	typed, err := v.readForm()
	if err != nil {
		return err
	}
	in, err := c.cfg.Accounts.FinishByPasskey(v.r.Context(), v.step(), typed.Get("response"), v.origin())
	return c.stepped(v, typed.Get("next"), in, err)
}

// stepped goes on after the second step, or shows it again.
func (c *Console) stepped(v *visit, next string, in account.SignedIn, err error) error {
	if err == nil {
		return v.signedIn(in, next)
	}
	w, f, gone := c.stepView(v, next)
	if gone != nil { // the step itself is over
		w, f := c.signInPage(next)
		return v.again("sign-in", w, f, nil, err)
	}
	return v.again("step", w, f, nil, err) // a code is not sent back
}
