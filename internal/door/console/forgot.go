package console

import (
	"net/http"

	"github.com/gatehouse-dev/gatehouse/internal/account"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

var forgotRoutes = []route{
	get("/forgot", nothing, (*Console).forgotForm),
	post("/forgot", nothing, (*Console).forgot),
	get("/reset/{token}", nothing, (*Console).resetForm),
	post("/reset/{token}", nothing, (*Console).reset),
	get("/undo/{token}", nothing, (*Console).undoForm),
	post("/undo/{token}", nothing, (*Console).undo),
}

func forgotPage() (view, *form) {
	f := &form{Action: "/forgot", Submit: "Send me a link", Cancel: "/sign-in", Fields: []field{
		{Kind: "email", Name: "email", Label: "E-mail address", Autocomplete: "username", Length: 254, Focus: true},
	}}
	return view{Card: true, Title: "Choose a new password", Lead: "A link goes to your address. It works once, within an hour.", Body: f}, f
}

func (c *Console) forgotForm(v *visit) error {
	w, _ := forgotPage()
	return v.show(http.StatusOK, "form", w)
}

// forgot answers the same whether or not the address has an account.
func (c *Console) forgot(v *visit) error {
	typed, err := v.readForm()
	if err != nil {
		return err
	}
	if err := c.cfg.Accounts.AskReset(v.r.Context(), typed.Get("email"), v.origin()); err != nil {
		w, f := forgotPage()
		return v.again("form", w, f, typed, err)
	}
	return v.show(http.StatusOK, "sent", view{Card: true, Title: "Look at your mail",
		Lead: "If the address has an account here, a link is on its way to it. It works once, within an hour."})
}

func resetPage(path string) (view, *form) {
	f := &form{Action: path, Submit: "Set the password", Fields: []field{
		{Kind: "password", Name: "password", Label: "New password", Help: passwordHelp, Autocomplete: "new-password", Focus: true},
	}}
	return view{Card: true, Title: "Choose a new password", Lead: "Every browser in which you are signed in is signed out by it.", Body: f}, f
}

const passwordHelp = "At least 10 characters. A few unusual words are better than a few unusual letters."

func (c *Console) resetForm(v *visit) error {
	if _, err := c.cfg.Accounts.LookMail(v.r.Context(), secret.New(v.r.PathValue("token")), account.PasswordReset); err != nil {
		return v.spent(err)
	}
	w, _ := resetPage(v.r.URL.Path)
	return v.show(http.StatusOK, "form", w)
}

func (c *Console) reset(v *visit) error {
	typed, err := v.readForm()
	if err != nil {
		return err
	}
	in, err := c.cfg.Accounts.Reset(v.r.Context(), secret.New(v.r.PathValue("token")), secret.New(typed.Get("password")), v.origin())
	switch {
	case fault.Is(err, fault.Invalid), fault.Is(err, fault.RateLimited):
		w, f := resetPage(v.r.URL.Path)
		return v.again("form", w, f, typed, err)
	case err != nil:
		return v.spent(err)
	}
	return v.signedIn(in, "/")
}

// undoForm asks before it acts, as mail programs open links to preview them.
func (c *Console) undoForm(v *visit) error {
	l, err := c.cfg.Accounts.LookMail(v.r.Context(), secret.New(v.r.PathValue("token")), account.EmailUndo)
	if err != nil {
		return v.spent(err)
	}
	return v.show(http.StatusOK, "confirm", view{Card: true, Title: "Put your address back?", Lead: "For when somebody else changed the address of your account.", Body: confirm{Danger: true,
		Effects: []string{"The account has the address " + l.Email + " again, and no other.",
			"Every browser and every device that is signed in is signed out, and the password opens nothing any more.",
			"Passkeys and authenticator apps that were added since the day before the change are removed.",
			"You choose a new password next. Look at your API keys afterwards: they are not stopped."},
		Action: v.r.URL.Path, Submit: "Put the address back", Cancel: "/sign-in"}})
}

func (c *Console) undo(v *visit) error {
	reset, err := c.cfg.Accounts.RestoreEmail(v.r.Context(), secret.New(v.r.PathValue("token")), v.origin())
	if fault.Is(err, fault.NotFound) {
		return v.spent(err)
	}
	if err != nil {
		return err
	}
	v.forget()
	return v.redirect("/reset/" + reset.Reveal())
}
