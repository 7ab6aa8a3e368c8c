package org

import (
	"context"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
)

// Offer is the primary owner's offer to make somebody else primary owner. It
// needs the other's yes.
type Offer struct {
	Organization id.Organization
	From, To     Member
	CreatedAt    time.Time
	ExpiresAt    time.Time
}

// offerLife is how long an offer of ownership stands.
const offerLife = 7 * 24 * time.Hour

// OfferOwnership offers another member to become primary owner. A newer offer
// takes the place of an older one.
func (s *Service) OfferOwnership(ctx context.Context, who caller.Caller, org id.Organization, to id.Member) error {
	if err := access.Check(who, caller.OwnOrganization, org); err != nil {
		return err
	}
	if who.Member == "" {
		return fault.New(fault.Denied, "only the primary owner gives ownership away")
	}
	m, err := s.member(ctx, org, to)
	switch {
	case err != nil:
		return err
	case m.Status != Active:
		return fault.New(fault.Conflict, "%s is not an active member", m.Email).At("member")
	case m.ID == who.Member:
		return fault.New(fault.Conflict, "you are the primary owner already").At("member")
	}
	now := s.Now()
	return s.Store.SaveOffer(ctx, Offer{Organization: org, From: Member{ID: who.Member}, To: m, CreatedAt: now, ExpiresAt: now.Add(offerLife)},
		audit.New(who, now, audit.OwnershipOffered, string(to), audit.Detail{"email": m.Email}).In(org))
}

// OwnershipOffer returns the offer that stands, if the caller is a party to it.
func (s *Service) OwnershipOffer(ctx context.Context, who caller.Caller, org id.Organization) (o Offer, ok bool, err error) {
	if err := access.CheckMember(who, org); err != nil {
		return Offer{}, false, err
	}
	o, ok, err = s.Store.Offer(ctx, org)
	if err != nil || !ok || !s.Now().Before(o.ExpiresAt) || (who.Member != o.From.ID && who.Member != o.To.ID) {
		return Offer{}, false, err
	}
	return o, true, nil
}

// AnswerOwnership accepts or declines an offer that was made to the caller. Who
// was primary owner is an owner afterwards.
func (s *Service) AnswerOwnership(ctx context.Context, who caller.Caller, org id.Organization, accept bool) error {
	if err := access.CheckMember(who, org); err != nil {
		return err
	}
	o, ok, err := s.OwnershipOffer(ctx, who, org)
	if err != nil {
		return err
	}
	if !ok || o.To.ID != who.Member {
		return fault.New(fault.NotFound, "nobody offers you this organization, or not any more")
	}
	now := s.Now()
	if !accept {
		return s.Store.DropOffer(ctx, org, audit.New(who, now, audit.OwnershipWithdrawn, string(who.Member), audit.Detail{"email": o.To.Email}).In(org))
	}
	return s.Store.TransferOwnership(ctx, o, audit.New(who, now, audit.OwnershipTransferred, string(who.Member), audit.Detail{
		"owner_before": o.From.Email, "owner_after": o.To.Email}).In(org).Affecting(string(o.From.ID), string(o.To.ID)))
}

// WithdrawOwnership takes an offer back.
func (s *Service) WithdrawOwnership(ctx context.Context, who caller.Caller, org id.Organization) error {
	if err := access.Check(who, caller.OwnOrganization, org); err != nil {
		return err
	}
	o, ok, err := s.Store.Offer(ctx, org)
	if err != nil || !ok {
		return err
	}
	return s.Store.DropOffer(ctx, org, audit.New(who, s.Now(), audit.OwnershipWithdrawn, string(o.To.ID), audit.Detail{"email": o.To.Email}).In(org))
}
