package console

import "net/http"

const themeCookie = "gatehouse_theme"

// themeChoice is "light", "dark", or "" for what the system wants.
func (v *visit) themeChoice() string {
	cookie, err := v.r.Cookie(themeCookie)
	if err != nil || (cookie.Value != "light" && cookie.Value != "dark") {
		return ""
	}
	return cookie.Value
}

func (c *Console) theme(v *visit) error {
	typed, err := v.readForm()
	if err != nil {
		return err
	}
	choice, life := typed.Get("theme"), 365*24*60*60
	if choice != "light" && choice != "dark" {
		choice, life = "", -1
	}
	http.SetCookie(v.w, &http.Cookie{Name: themeCookie, Value: choice, Path: "/", MaxAge: life,
		HttpOnly: true, Secure: c.cfg.Secure, SameSite: http.SameSiteLaxMode})
	return v.redirect(local(typed.Get("next")))
}
