package console

import (
	"net/http"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/invite"
)

// linkOfferPage is the page for whoever opened an invite link. The form is there
// if they can go on as who they are.
func (c *Console) linkOfferPage(v *visit, l invite.Opened) (view, *form, error) {
	name, domains := short(l.OrganizationName), strings.Join(l.Domains, " or ")
	w := view{Card: true, Title: "Join " + name, Mark: markOf(l.OrganizationName, l.OrganizationColor), Lead: "For people with an address of " + domains + ", " + invite.As(l.Role) + "."}
	page := joinPage{}
	mine := ""
	if v.isSignedIn() {
		email, verified, err := c.cfg.Joining.Whose(v.r.Context(), v.who)
		if err != nil {
			return view{}, nil, err
		}
		memberships, err := c.cfg.Accounts.Memberships(v.r.Context(), v.who)
		if err != nil {
			return view{}, nil, err
		}
		mine = email
		for _, m := range memberships {
			if m.Organization == l.Organization {
				w.Title, w.Lead = "You are a member of "+name+" already", ""
				page.Says, page.Go = []string{"You are signed in as " + mine + ". There is nothing left to do here."}, &link{"/", "Go to the console"}
				w.Body = &page
				return w, nil, nil
			}
		}
		switch {
		case !l.Fits(email):
			page.Says = []string{"You are signed in as " + mine + ", which is another address. Sign out to go on with one of " + domains + "."}
			page.SignOut = v.r.URL.Path
			w.Body = &page
			return w, nil, nil
		case verified:
			page.Says = []string{"You are signed in as " + mine + ".", roleInWords(l.Role)}
			page.Form = &form{Action: v.r.URL.Path, Submit: "Join " + name + " " + invite.As(l.Role)}
			w.Body = &page
			return w, page.Form, nil
		}
	}
	page.Says = []string{"Type your address: a mail with your invitation goes to it."}
	page.Form = &form{Action: v.r.URL.Path, Submit: "Send me the invitation", Fields: []field{
		{Kind: "email", Name: "email", Label: "E-mail address", Help: "At " + domains + ".", Value: mine, Autocomplete: "username", Length: 254, Focus: true},
	}}
	w.Body = &page
	return w, page.Form, nil
}

func (c *Console) inviteLinkForm(v *visit) error {
	l, err := c.cfg.Joining.OpenLink(v.r.Context(), v.linkToken(), v.origin())
	if err != nil {
		return v.spent(err)
	}
	w, _, err := c.linkOfferPage(v, l)
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "join", w)
}

// useInviteLink lets in who is signed in with an address that fits, and mails an
// invitation to everybody else. What it says of an address is always the same.
func (c *Console) useInviteLink(v *visit) error {
	typed, err := v.readForm()
	if err != nil {
		return err
	}
	ctx := v.r.Context()
	l, err := c.cfg.Joining.OpenLink(ctx, v.linkToken(), v.origin())
	if err != nil {
		return v.spent(err)
	}
	w, f, err := c.linkOfferPage(v, l)
	if err != nil {
		return err
	}
	if f == nil { // there is nothing for them to send
		return v.show(http.StatusOK, "join", w)
	}
	if len(f.Fields) == 0 {
		joined, err := c.cfg.Joining.JoinByLink(ctx, v.who, v.linkToken(), v.token, v.origin())
		if err != nil {
			return v.again("join", w, f, typed, err)
		}
		return v.redirect(firstPage(joined.Member))
	}
	err = c.cfg.Joining.Ask(ctx, v.linkToken(), typed.Get("email"), v.origin())
	switch {
	case fault.Is(err, fault.NotFound):
		return v.spent(err)
	case err != nil:
		return v.again("join", w, f, typed, err)
	}
	w = view{Card: true, Title: "Look at your mail", Lead: "If the address can join " + short(l.OrganizationName) + ", an invitation is on its way to it.",
		Body: &joinPage{Says: []string{"Nothing there after a few minutes? Look among unwanted mail, or ask whoever gave you the link to invite you."}}}
	if _, sends := c.cfg.Outbox.Configured(); !sends {
		w.Title, w.Lead = "Ask for your invitation", "If the address can join "+short(l.OrganizationName)+", an invitation was made for it."
		w.Body = &joinPage{Says: []string{"This server sends no mail, so nothing comes by itself: whoever gave you the link can hand the invitation over to you."}}
	}
	return v.show(http.StatusOK, "join", w)
}
