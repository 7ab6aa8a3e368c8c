package console

import (
	"net/http"

	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

var selfRoutes = []route{
	get("/account", account_, (*Console).self),
	post("/account/password", account_, (*Console).changePassword),
}

func (c *Console) selfPage(v *visit) (view, *form) {
	f := &form{Action: "/account/password", Submit: "Change the password", Fields: []field{
		{Kind: "password", Name: "current", Label: "Current password", Help: "Leave it empty if you have only used sign-in links so far.", Autocomplete: "current-password", Optional: true},
		{Kind: "password", Name: "password", Label: "New password", Help: "At least 10 characters. Your other browsers are signed out.", Autocomplete: "new-password"},
	}}
	return view{Title: "Your account", Notice: v.notice(), Body: struct {
		Name, Email, Role, Organization string
		Several                         bool
		Form                            *form
	}{v.who.Name, v.who.Email, roleName(v.who.Role), v.organizationName(), len(v.memberships) > 1, f}}, f
}

func (c *Console) self(v *visit) error {
	w, _ := c.selfPage(v)
	return v.show(http.StatusOK, "account", w)
}

func (c *Console) changePassword(v *visit) error {
	typed, err := v.readForm()
	if err != nil {
		return err
	}
	err = c.cfg.Accounts.SetPassword(v.r.Context(), v.who, v.token, secret.New(typed.Get("current")), secret.New(typed.Get("password")))
	if err != nil {
		w, f := c.selfPage(v)
		return v.again("account", w, f, typed, err)
	}
	return v.redirect("/account?done=password")
}
