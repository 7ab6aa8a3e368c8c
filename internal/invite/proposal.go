package invite

import (
	"context"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/org"
)

const maxProposals = 20 // of a member that wait

// Propose notes a person that a member would like to have in, for somebody who
// may invite to decide on.
func (s *Service) Propose(ctx context.Context, who caller.Caller, o id.Organization, email, name, why string) (Proposal, error) {
	if err := access.Check(who, caller.ProposeMembers, o); err != nil {
		return Proposal{}, err
	}
	if who.Kind != caller.Member {
		return Proposal{}, fault.New(fault.Unsupported, "people are proposed by a member")
	}
	r, err := s.rules(ctx, who, o)
	if err != nil {
		return Proposal{}, err
	}
	if !r.org.Settings.Proposals {
		return Proposal{}, fault.New(fault.Denied, "the organization %q takes no proposals", r.org.Name).WithHint("ask an owner or admin to invite them, or to switch proposals on in the organization's settings")
	}
	clean, err := org.CleanEmail(email)
	if err != nil {
		return Proposal{}, err
	}
	if name, err = cleanName(name); err != nil {
		return Proposal{}, err
	}
	if err := r.allowed(clean); err != nil {
		return Proposal{}, err
	}
	standings, err := s.Store.Standings(ctx, o, []string{clean}, s.Now())
	if err != nil {
		return Proposal{}, err
	}
	if st := standings[clean]; st.Pending != nil || st.Member == org.Active || st.Member == org.Suspended {
		return Proposal{}, fault.New(fault.Conflict, "%s is in the organization, or invited, already", clean).At("email")
	}
	p := Proposal{ID: string(id.NewActivity()), Organization: o, Email: clean, Name: name, Why: org.CleanText(why, 500), By: who.Member, ByName: called(who), State: "waiting", CreatedAt: s.Now()}
	return p, s.Store.AddProposal(ctx, p, maxProposals, audit.New(who, s.Now(), audit.MemberProposed, p.ID, audit.Detail{"email": clean, "name": name}).In(o))
}

// Proposals lists the proposals that wait.
func (s *Service) Proposals(ctx context.Context, who caller.Caller, o id.Organization) ([]Proposal, error) {
	if err := access.Check(who, caller.ManageMembers, o); err != nil {
		return nil, err
	}
	return s.Store.Proposals(ctx, o, "", 200)
}

// MyProposals lists the caller's own that wait.
func (s *Service) MyProposals(ctx context.Context, who caller.Caller, o id.Organization) ([]Proposal, error) {
	if err := access.Check(who, caller.ProposeMembers, o); err != nil {
		return nil, err
	}
	if who.Member == "" {
		return nil, nil
	}
	return s.Store.Proposals(ctx, o, who.Member, maxProposals)
}

// Decide approves a proposal, which makes it an invitation to a standing that
// the caller may give, or declines it.
func (s *Service) Decide(ctx context.Context, who caller.Caller, o id.Organization, p string, approve bool, role access.Role) (Proposal, error) {
	if err := access.Check(who, caller.ManageMembers, o); err != nil {
		return Proposal{}, err
	}
	found, ok, err := s.Store.Proposal(ctx, o, p)
	if err == nil && !ok {
		err = fault.New(fault.NotFound, "there is no such proposal in your organization")
	}
	if err != nil {
		return Proposal{}, err
	}
	now := s.Now()
	found.State, found.DecidedBy, found.DecidedAt = "declined", who.Principal(), now
	var out *Outgoing
	if approve {
		r, err := s.rules(ctx, who, o)
		if err != nil {
			return Proposal{}, err
		}
		in, err := r.admit(New{Email: found.Email, Name: found.Name, Place: Place{Role: role}})
		if err != nil {
			return Proposal{}, err
		}
		made := s.sending(who, r.org, in, Invite{})
		found.State, out = "approved", &made
	}
	return found, s.Store.Decide(ctx, found, out, audit.New(who, now, audit.ProposalDecided, p, audit.Detail{
		"email": found.Email, "decision": found.State, "proposed_by": found.ByName}).In(o))
}
