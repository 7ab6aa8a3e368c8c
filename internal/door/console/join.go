package console

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/invite"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

var joinRoutes = []route{
	get("/invite/{token}", anybody, (*Console).inviteForm),
	post("/invite/{token}", anybody, (*Console).acceptInvite),
	get("/join/{token}", anybody, (*Console).inviteLinkForm),
	post("/join/{token}", anybody, (*Console).useInviteLink),
}

// joinPage is a page for somebody who joins: what there is to say, and the one
// thing to do next.
type joinPage struct {
	Says    []string
	Form    *form
	Go      *link
	SignOut string // where to come back to from signing out; empty: that does not help
	Aside   string
}

// roleInWords says what somebody becomes.
func roleInWords(r access.Role) string {
	help := roleHelp[r]
	return invite.RoleName(r) + ": " + strings.ToLower(help[:1]) + help[1:]
}

// isSignedIn reports whether the visitor is somebody, in an organization or not.
func (v *visit) isSignedIn() bool { return v.who.Account != "" && v.who.Way == caller.Web }

// linkToken is the token of the path.
func (v *visit) linkToken() secret.Text { return secret.New(v.r.PathValue("token")) }

// offerPage is the page for whoever opened an invitation's link, by what became
// of it and who they are. The form is there if it can be accepted here and now.
func (c *Console) offerPage(v *visit, offer invite.Offer) (int, view, *form, error) {
	if offer.OrganizationDeleted || offer.Status != invite.Pending {
		status, w := endedInvite(v, offer)
		return status, w, nil, nil
	}
	name := short(offer.OrganizationName)
	w := view{Card: true, Title: "Join " + name, Mark: markOf(offer.OrganizationName, offer.OrganizationColor), Lead: cmp.Or(short(offer.ByName), "An admin") + " invites you to join " + invite.As(offer.Role) + "."}
	if offer.Link != "" {
		w.Lead = "You asked to join " + invite.As(offer.Role) + "."
	}
	page := joinPage{Says: []string{roleInWords(offer.Role)}, Aside: "If you do not want to join, close this page. Nothing happens until the button is pressed."}
	switch {
	case v.isSignedIn() && v.who.Account != offer.Account:
		mine, _, err := c.cfg.Joining.Whose(v.r.Context(), v.who)
		if err != nil {
			return 0, view{}, nil, err
		}
		w.Title, w.Lead = "This invitation is for somebody else", ""
		page = joinPage{SignOut: v.r.URL.Path, Says: []string{"You are signed in as " + mine + ". The invitation to " + name + " is for " + offer.Email + " and can be accepted with that address alone."},
			Aside: "If both addresses are yours, sign out and go on with the other. If not, ask whoever invited you to invite " + mine + "."}
	case v.isSignedIn():
		page.Form = &form{Action: v.r.URL.Path, Submit: "Join " + name + " " + invite.As(offer.Role)}
	case offer.Account != "":
		page.Says = append(page.Says, offer.Email+" has an account here already. Sign in with it, and you come back to this page.")
		page.Go = &link{withNext("/sign-in", v.r.URL.Path), "Sign in to go on"}
	default:
		page.Form = newAccountForm(v.r.URL.Path, offer)
	}
	w.Body = &page
	return http.StatusOK, w, page.Form, nil
}

// newAccountForm asks for what an account is made of. The address is shown, for
// password managers as well, and never read from the form.
func newAccountForm(path string, offer invite.Offer) *form {
	return &form{Action: path, Submit: "Create the account and join", Fields: []field{
		{Kind: "email", Name: "email", Label: "E-mail address", Help: "The invitation is for this address alone.", Value: offer.Email, Autocomplete: "username", Fixed: true},
		{Kind: "text", Name: "name", Label: "Your name", Help: "Others in the organization see it.", Value: offer.Name, Autocomplete: "name", Length: 200, Optional: true, Focus: offer.Name == ""},
		{Kind: "password", Name: "password", Label: "Password", Help: passwordHelp, Autocomplete: "new-password", Focus: offer.Name != ""},
	}}
}

// endedInvite is the page of an invitation that cannot be accepted any more.
func endedInvite(v *visit, offer invite.Offer) (int, view) {
	name := short(offer.OrganizationName)
	again := "Ask " + cmp.Or(short(offer.ByName), "an admin of "+name) + " to invite you again."
	w, page := view{Card: true}, joinPage{}
	switch {
	case offer.OrganizationDeleted:
		w.Title = "There is nothing left to join"
		page.Says = []string{"The organization " + name + " is not on this server any more."}
	case offer.Status == invite.Accepted && v.isSignedIn() && v.who.Account == offer.Account:
		w.Title = "You accepted this invitation"
		page.Says = []string{"It was for " + name + ". There is nothing left to do here."}
		page.Go = &link{"/", "Go to the console"}
		w.Body = &page
		return http.StatusOK, w
	case offer.Status == invite.Accepted:
		w.Title = "This invitation was used already"
		page.Says = []string{"Each works once. If it was you, sign in: you are in."}
		page.Aside = "If it was not you, tell an owner or admin of " + name + "."
		if v.isSignedIn() {
			page.SignOut = "/sign-in"
		} else {
			page.Go = &link{"/sign-in", "Go to the sign-in page"}
		}
	case offer.Status == invite.Expired:
		w.Title = "This invitation has run out"
		page.Says = []string{"It was for " + name + " and could be accepted until " + v.c.moment(offer.ExpiresAt).Exact + ".", again}
	default:
		w.Title = "This invitation was withdrawn"
		page.Says = []string{"It was for " + name + ". If you think that is a mistake, ask whoever invited you."}
	}
	w.Body = &page
	return http.StatusGone, w
}

// lookInvite finds the invitation of the path; who sends what is none gets the
// page for that.
func (c *Console) lookInvite(v *visit) (invite.Offer, error) {
	offer, err := c.cfg.Joining.Look(v.r.Context(), v.linkToken(), v.origin())
	if err != nil {
		return offer, v.spent(err)
	}
	return offer, nil
}

func (c *Console) inviteForm(v *visit) error {
	offer, err := c.lookInvite(v)
	if err != nil {
		return err
	}
	status, w, _, err := c.offerPage(v, offer)
	if err != nil {
		return err
	}
	return v.show(status, "join", w)
}

func (c *Console) acceptInvite(v *visit) error {
	typed, err := v.readForm()
	if err != nil {
		return err
	}
	offer, err := c.lookInvite(v)
	if err != nil {
		return err
	}
	status, w, f, err := c.offerPage(v, offer)
	if err != nil {
		return err
	}
	if f == nil { // what can be done is another thing than what was sent
		return v.show(status, "join", w)
	}
	ctx := v.r.Context()
	if v.isSignedIn() {
		joined, err := c.cfg.Joining.Accept(ctx, v.who, v.linkToken(), v.token, v.origin())
		if err != nil {
			return c.notJoined(v, w, f, typed, err)
		}
		return v.redirect(firstPage(joined.Member))
	}
	joined, in, err := c.cfg.Joining.AcceptNew(ctx, v.linkToken(), typed.Get("name"), secret.New(typed.Get("password")), v.origin())
	if err != nil {
		return c.notJoined(v, w, f, typed, err)
	}
	return v.signedIn(in, firstPage(joined.Member))
}

// notJoined shows the page once more; or another, if somebody else decided on
// the invitation in between.
func (c *Console) notJoined(v *visit, w view, f *form, typed url.Values, err error) error {
	if fault.Is(err, fault.Conflict) {
		offer, gone := c.lookInvite(v)
		if gone != nil {
			return gone
		}
		status, now, still, failed := c.offerPage(v, offer)
		if failed != nil {
			return failed
		}
		if still == nil {
			return v.show(status, "join", now)
		}
	}
	return v.again("join", w, f, typed, err)
}

// firstPage is where somebody begins who has just joined.
func firstPage(m org.Member) string {
	if m.Caller(caller.Web).Rights.Has(caller.UseModels) {
		return "/start"
	}
	return "/"
}
