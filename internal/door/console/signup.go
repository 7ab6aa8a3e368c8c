package console

import (
	"net/http"
	"net/url"

	"github.com/gatehouse-dev/gatehouse/internal/account"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

var signUpRoutes = []route{
	get("/sign-up", anybody, (*Console).signUpForm),
	post("/sign-up", nothing, withForm((*Console).askSignUp)),
	get("/sign-up/{token}", nothing, (*Console).finishSignUpForm),
	post("/sign-up/{token}", nothing, withForm((*Console).finishSignUp)),
}

func signUpPage() (view, *form) {
	f := &form{Action: "/sign-up", Submit: "Send me a link", Cancel: "/sign-in", Fields: []field{
		{Kind: "email", Name: "email", Label: "E-mail address", Autocomplete: "username", Length: 254, Focus: true},
	}}
	return view{Card: true, Title: "Make an organization", Lead: "A link goes to your address. With it you make your account, and an organization of which you are the primary owner.", Body: f}, f
}

func (c *Console) signUpForm(v *visit) error {
	if v.who.Kind != caller.Nobody {
		return v.redirect("/organizations/new")
	}
	if err := c.cfg.Accounts.SignUpOpen(v.r.Context()); err != nil {
		return err
	}
	w, _ := signUpPage()
	return v.show(http.StatusOK, "form", w)
}

// askSignUp answers the same whether or not the address has an account.
func (c *Console) askSignUp(v *visit, typed url.Values) error {
	if err := c.cfg.Accounts.AskSignUp(v.r.Context(), typed.Get("email"), v.origin()); err != nil {
		w, f := signUpPage()
		return v.again("form", w, f, typed, err)
	}
	return v.show(http.StatusOK, "sent", view{Card: true, Title: "Look at your mail",
		Lead: "A letter is on its way to the address. It says how to go on. Its link works once, within a day."})
}

func finishSignUpPage(path string, u account.SignUp) (view, *form) {
	f := &form{Action: path, Submit: "Create the account and the organization", Fields: []field{
		{Kind: "email", Name: "email", Label: "E-mail address", Value: u.Email, Autocomplete: "username", Fixed: true},
		{Kind: "text", Name: "name", Label: "Your name", Autocomplete: "name", Length: 200, Optional: true, Focus: true},
		{Kind: "password", Name: "password", Label: "Password", Help: passwordHelp, Autocomplete: "new-password"},
		{Kind: "text", Name: "organization", Label: "Organization", Help: "Its name, as your people know it.", Autocomplete: "organization", Length: 200},
		planField(),
	}}
	return view{Card: true, Title: "Make your account", Lead: "You become the primary owner of the organization. This link works once.", Body: f}, f
}

func (c *Console) finishSignUpForm(v *visit) error {
	u, err := c.cfg.Accounts.LookSignUp(v.r.Context(), secret.New(v.r.PathValue("token")))
	if err != nil {
		return v.spent(err)
	}
	w, _ := finishSignUpPage(v.r.URL.Path, u)
	return v.show(http.StatusOK, "form", w)
}

func (c *Console) finishSignUp(v *visit, typed url.Values) error {
	ctx, token := v.r.Context(), secret.New(v.r.PathValue("token"))
	u, err := c.cfg.Accounts.LookSignUp(ctx, token)
	if err != nil {
		return v.spent(err)
	}
	in, err := c.cfg.Accounts.FinishSignUp(ctx, token, account.First{Organization: typed.Get("organization"), Name: typed.Get("name"), Password: secret.New(typed.Get("password"))},
		org.Plan(typed.Get("plan")), v.origin())
	switch {
	case fault.Is(err, fault.Invalid):
		w, f := finishSignUpPage(v.r.URL.Path, u)
		return v.again("form", w, f, typed, err)
	case err != nil:
		return v.spent(err)
	}
	return v.signedIn(in, "/")
}
