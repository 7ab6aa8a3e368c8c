package console

import (
	"net/http"

	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/useragent"
)

var browserRoutes = []route{
	get("/account/browsers", account_, (*Console).browsers),
	post("/account/browsers/{id}/end", account_, (*Console).endBrowser),
	get("/account/sign-out-everywhere", account_, (*Console).everywhereForm),
	post("/account/sign-out-everywhere", account_, (*Console).everywhere),
}

type browserRow struct {
	ID, Browser, Address, Method string
	Made, Ends                   moment
	This                         bool
}

func (c *Console) browsers(v *visit) error {
	all, this, err := c.cfg.Accounts.Browsers(v.r.Context(), v.who, v.token)
	if err != nil {
		return err
	}
	var rows []browserRow
	for _, b := range all {
		rows = append(rows, browserRow{ID: string(b.ID), Browser: useragent.Name(b.UserAgent), Address: b.Address, Method: title(b.Method),
			Made: c.moment(b.CreatedAt), Ends: c.moment(b.ExpiresAt), This: b.ID == this})
	}
	return v.show(http.StatusOK, "browsers", view{Title: "Your account", Lead: "Where you are signed in to these pages. A sign-in ends by itself after 12 hours.", Notice: v.notice(), Body: struct {
		Tabs []tab
		Rows []browserRow
	}{v.selfTabs(), rows}})
}

func (c *Console) endBrowser(v *visit) error {
	_, this, err := c.cfg.Accounts.Browsers(v.r.Context(), v.who, v.token)
	if err != nil {
		return err
	}
	b := id.Browser(v.r.PathValue("id"))
	if err := c.cfg.Accounts.EndBrowser(v.r.Context(), v.who, b); err != nil {
		return err
	}
	if b == this {
		v.forget()
		return v.redirect("/sign-in")
	}
	return v.redirect("/account/browsers?done=out")
}

// inEvery calls f as the visitor in each organization in which they have device
// sessions of their own.
func (v *visit) inEvery(f func(who caller.Caller) error) error {
	for _, m := range v.memberships {
		who := m.Caller(caller.Web).From(v.who.Address)
		if !who.Rights.Has(caller.OwnSessions) {
			continue
		}
		if err := f(who); err != nil {
			return err
		}
	}
	return nil
}

func (c *Console) everywhereForm(v *visit) error {
	all, _, err := c.cfg.Accounts.Browsers(v.r.Context(), v.who, v.token)
	if err != nil {
		return err
	}
	devices := 0
	err = v.inEvery(func(who caller.Caller) error {
		n, err := c.cfg.Sessions.Count(v.r.Context(), who, who.Organization, who.Member)
		devices += n
		return err
	})
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "everywhere", view{Title: "Sign out everywhere?", Body: struct {
		Browsers, Devices string
	}{count(len(all), "browser"), count(devices, "device session")}})
}

func (c *Console) everywhere(v *visit) error {
	typed, err := v.readForm()
	if err != nil {
		return err
	}
	if typed.Get("devices") == "yes" {
		err := v.inEvery(func(who caller.Caller) error {
			_, err := c.cfg.Sessions.EndAll(v.r.Context(), who, who.Organization, who.Member)
			return err
		})
		if err != nil {
			return err
		}
	}
	if err := c.cfg.Accounts.SignOutEverywhere(v.r.Context(), v.who); err != nil {
		return err
	}
	v.forget()
	return v.redirect("/sign-in")
}
