package console

import (
	"net/http"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/org"
)

var ownershipRoutes = []route{
	get("/ownership", member, (*Console).ownershipPage),
	post("/ownership", member, (*Console).answerOwnership),
	get("/leave", member, (*Console).leaveForm),
	post("/leave", member, (*Console).leave),
	get("/organizations/new", itself, (*Console).newOrganization),
	post("/organizations/new", account_, (*Console).createOrganization),
}

func (c *Console) ownershipPage(v *visit) error {
	o, ok, err := c.cfg.Organizations.OwnershipOffer(v.r.Context(), v.who, v.who.Organization)
	if err != nil {
		return err
	}
	if !ok {
		return fault.New(fault.NotFound, "nobody offers you this organization, or not any more")
	}
	return v.show(http.StatusOK, "ownership", view{Title: "Ownership of " + v.organizationName(), Body: struct {
		From, To      string
		Mine          bool
		Made, Expires moment
	}{o.From.Email, o.To.Email, o.From.ID == v.who.Member, c.moment(o.CreatedAt), c.moment(o.ExpiresAt)}})
}

func (c *Console) answerOwnership(v *visit) error {
	typed, err := v.readForm()
	if err != nil {
		return err
	}
	ctx, o := v.r.Context(), v.who.Organization
	switch typed.Get("answer") {
	case "accept":
		if err := c.cfg.Organizations.AnswerOwnership(ctx, v.who, o, true); err != nil {
			return err
		}
		return v.redirect("/?done=owner")
	case "decline":
		if err := c.cfg.Organizations.AnswerOwnership(ctx, v.who, o, false); err != nil {
			return err
		}
		return v.redirect("/?done=declined")
	case "withdraw":
		if err := c.cfg.Organizations.WithdrawOwnership(ctx, v.who, o); err != nil {
			return err
		}
		return v.redirect("/?done=withdrawn")
	}
	return fault.New(fault.Invalid, "accept or decline")
}

func (c *Console) leaveForm(v *visit) error {
	if err := access.CheckMember(v.who, v.who.Organization); err != nil {
		return err
	}
	return v.show(http.StatusOK, "confirm", view{Title: "Leave " + v.organizationName() + "?", Body: confirm{Danger: true,
		Effects: []string{"Your device sessions and keys in this organization are refused within a second.",
			"You can only come back by an invitation, and nothing you hold today works again then.",
			"Your account and your other organizations stay."},
		Action: "/leave", Submit: "Leave the organization", Cancel: "/account"}})
}

func (c *Console) leave(v *visit) error {
	if err := c.cfg.Organizations.Leave(v.r.Context(), v.who, v.who.Organization); err != nil {
		return err
	}
	return v.redirect("/organization")
}

// planField chooses the plan of a new organization.
func planField() field {
	plans := field{Kind: "radio", Name: "plan", Label: "Plan", Help: "It can be changed later. None costs anything."}
	for _, p := range org.Plans() {
		plans.Options = append(plans.Options, option{Value: string(p), Text: title(string(p)), Help: planWords[p], Chosen: p == org.Enterprise})
	}
	return plans
}

func newOrganizationPage() (view, *form) {
	f := &form{Action: "/organizations/new", Submit: "Create the organization", Cancel: "/organization", Fields: []field{
		{Kind: "text", Name: "name", Label: "Name", Help: "As your people know it.", Autocomplete: "organization", Length: 200, Focus: true}, planField()}}
	return view{Card: true, Title: "Create an organization", Lead: "You become its primary owner.", Body: f}, f
}

// newOrganization leads strangers to where they make an account with it, where
// they may.
func (c *Console) newOrganization(v *visit) error {
	if v.who.Kind == caller.Nobody && c.cfg.Accounts.SignUpOpen(v.r.Context()) == nil {
		return v.redirect("/sign-up")
	}
	if err := v.identify(account_); err != nil {
		return err
	}
	if !c.cfg.SelfService {
		return fault.New(fault.Denied, "on this server only its operator makes organizations").WithHint("ask whoever runs the server")
	}
	w, _ := newOrganizationPage()
	return v.show(http.StatusOK, "form", w)
}

func (c *Console) createOrganization(v *visit) error {
	typed, err := v.readForm()
	if err != nil {
		return err
	}
	m, err := c.cfg.Organizations.Create(v.r.Context(), v.who, typed.Get("name"), org.Plan(typed.Get("plan")))
	if err != nil {
		w, f := newOrganizationPage()
		return v.again("form", w, f, typed, err)
	}
	if err := c.cfg.Accounts.Choose(v.r.Context(), v.who, v.token, m.Organization); err != nil {
		return err
	}
	return v.redirect("/")
}
