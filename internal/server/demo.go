package server

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/account"
	"github.com/gatehouse-dev/gatehouse/internal/apikey"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/upstream"
)

// Demo says what the sample organization is to look like.
type Demo struct {
	UpstreamURL string // empty: the simulated model
	UpstreamKey secret.Text
}

// Sample is the sample organization of a demo. The keys are empty if an earlier
// server made them.
type Sample struct {
	Organization id.Organization
	Owner        SamplePerson
	Member       SamplePerson
	APIKey       secret.Text // the member's
	AdminKey     secret.Text
}

// SamplePerson is somebody in the sample organization.
type SamplePerson struct {
	Email string
	Link  secret.Text // may be used again and again
}

const (
	sampleOwner  = "owner@example.com"
	sampleMember = "member@example.com"
)

// MakeSample makes the sample organization, or joins the one that is there.
func (s *Server) MakeSample(ctx context.Context, demo Demo) (Sample, error) {
	owner, made, err := s.sampleOwner(ctx)
	if err != nil {
		return Sample{}, fmt.Errorf("making the sample organization: %w", err)
	}
	who := caller.OfOperator(owner.Organization)
	sample := Sample{Organization: owner.Organization, Owner: SamplePerson{Email: owner.Email}, Member: SamplePerson{Email: sampleMember}}
	member, err := s.sampleMember(ctx, who)
	if err != nil {
		return Sample{}, fmt.Errorf("making the sample member: %w", err)
	}
	if err := s.sampleUpstream(ctx, who, demo, made); err != nil {
		return Sample{}, fmt.Errorf("connecting the sample upstream: %w", err)
	}
	if made {
		if _, sample.APIKey, err = s.rooms.Keys.CreateFor(ctx, who, owner.Organization, member.ID, "Sample key", time.Time{}); err != nil {
			return Sample{}, err
		}
		if _, sample.AdminKey, err = s.rooms.Keys.CreateAdmin(ctx, who, owner.Organization, apikey.New{Name: "Sample admin key"}); err != nil {
			return Sample{}, err
		}
	}
	if sample.Owner.Link, err = s.rooms.Accounts.MakeSignInLink(ctx, who, owner.Organization, owner.ID, true); err != nil {
		return Sample{}, err
	}
	sample.Member.Link, err = s.rooms.Accounts.MakeSignInLink(ctx, who, owner.Organization, member.ID, true)
	return sample, err
}

func (s *Server) sampleOwner(ctx context.Context) (m org.Member, made bool, err error) {
	found, err := s.db.Orgs().MemberByEmail(ctx, sampleOwner)
	if err != nil {
		return org.Member{}, false, err
	}
	if len(found) > 0 {
		return found[0], false, nil
	}
	if needs, err := s.rooms.Accounts.NeedsSetup(ctx); err != nil {
		return org.Member{}, false, err
	} else if !needs {
		return org.Member{}, false, errors.New("the database holds a real organization: a demo wants one of its own")
	}
	m, err = s.rooms.Accounts.Found(ctx, caller.OfOperator(""), account.First{Organization: "Sample organization", Email: sampleOwner, Name: "Olivia Owner"})
	return m, true, err
}

func (s *Server) sampleMember(ctx context.Context, who caller.Caller) (org.Member, error) {
	found, _, err := s.rooms.Orgs.Members(ctx, who, who.Organization, org.MemberFilter{Email: sampleMember})
	if err != nil {
		return org.Member{}, err
	}
	if len(found) > 0 {
		return found[0], nil
	}
	return s.rooms.Orgs.Add(ctx, who, who.Organization, org.NewMember{Email: sampleMember, Name: "Max Member", Role: access.Developer})
}

// sampleUpstream connects what the demo asks for. A node that joins another
// and asks for nothing leaves what is there.
func (s *Server) sampleUpstream(ctx context.Context, who caller.Caller, demo Demo, made bool) error {
	if demo.UpstreamURL == "" && !made {
		return nil
	}
	kept, err := s.rooms.Upstreams.List(ctx, caller.OfSystem(who.Organization), who.Organization)
	if err != nil {
		return err
	}
	for _, u := range kept {
		if demo.UpstreamURL != "" && u.BaseURL == demo.UpstreamURL && u.Credential.Equal(demo.UpstreamKey) {
			return nil
		}
		if err := s.rooms.Upstreams.Remove(ctx, who, who.Organization, u.ID); err != nil {
			return err
		}
	}
	in := upstream.New{Name: "Simulated model", Provider: upstream.Simulated}
	if demo.UpstreamURL != "" {
		in = upstream.New{Name: "Upstream", Provider: upstream.Anthropic, BaseURL: demo.UpstreamURL, Credential: demo.UpstreamKey}
	}
	_, err = s.rooms.Upstreams.Connect(ctx, who, who.Organization, in)
	return err
}
