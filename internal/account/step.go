package account

import (
	"context"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/totp"
)

// wantsSecond reports whether a sign-in to an account takes a second step.
func (s *Service) wantsSecond(ctx context.Context, a id.Account) (bool, error) {
	f, err := s.store.Factors(ctx, a)
	return f.Second(), err
}

// half begins the second step; unless something went wrong before.
func (s *Service) half(ctx context.Context, who caller.Caller, method string, from Origin, link *secret.Hash, err error) (SignedIn, error) {
	if err != nil {
		return SignedIn{}, err
	}
	token := secret.Mint(secret.StepToken)
	h := Half{Hash: token.Hash(), Account: who.Account, Organization: who.Organization, Method: method, Address: from.Address, UserAgent: from.agent(),
		CreatedAt: s.now(), ExpiresAt: s.now().Add(StepLife)}
	return SignedIn{Token: token, Expires: h.ExpiresAt, Half: true}, s.store.StartHalf(ctx, h, link)
}

var errStepOver = fault.New(fault.Unauthenticated, "this sign-in took too long or was finished already").WithHint("sign in again")

// Step says with what the second step of a sign-in can be taken.
func (s *Service) Step(ctx context.Context, token secret.Text) (Factors, error) {
	if !secret.Is(secret.StepToken, token.Reveal()) {
		return Factors{}, errStepOver
	}
	h, ok, err := s.store.Half(ctx, token.Hash(), s.now())
	if err != nil {
		return Factors{}, err
	}
	if !ok {
		return Factors{}, errStepOver
	}
	return s.store.Factors(ctx, h.Account)
}

// FinishByCode takes the second step with a code of an authenticator app, or
// with a recovery code.
func (s *Service) FinishByCode(ctx context.Context, token secret.Text, code string, from Origin) (SignedIn, error) {
	h, right, err := s.try(ctx, token, from)
	if err != nil {
		return SignedIn{}, err
	}
	p, method, err := s.proofOf(ctx, h.Account, code)
	if err != nil {
		return SignedIn{}, err
	}
	if method == "" {
		if err := s.store.Note(ctx, s.failed(h.Account, "code", from, nil).In(h.Organization)); err != nil {
			return SignedIn{}, err
		}
		return SignedIn{}, errWrongCode
	}
	in, err := s.finish(ctx, h, p, method, from)
	if err == nil {
		right()
	}
	return in, err
}

var errWrongCode = fault.New(fault.Invalid, "this code is not right, or was used already").At("code").
	WithHint("wait for the next code of your app, or use a recovery code")

// proofOf says what a typed code proves; the method is empty if nothing.
func (s *Service) proofOf(ctx context.Context, a id.Account, typed string) (Proof, string, error) {
	if _, ok := totp.Clean(typed); ok {
		t, found, err := s.store.TOTP(ctx, a)
		if err != nil || !found || t.EnabledAt.IsZero() {
			return Proof{}, "", err
		}
		step, right := totp.Check(t.Secret, typed, s.now(), t.Step)
		if !right {
			return Proof{}, "", nil
		}
		return Proof{Step: step}, "code", nil
	}
	if code, ok := cleanRecovery(typed); ok {
		return Proof{Code: recoveryHash(a, code)}, "recovery code", nil
	}
	return Proof{}, "", nil
}

// try counts a try at the second step, by the half sign-in and by the account,
// so that a new half gives nobody new tries. What it returns gives the account's
// back.
func (s *Service) try(ctx context.Context, token secret.Text, from Origin) (h Half, right func(), err error) {
	if !secret.Is(secret.StepToken, token.Reveal()) {
		return Half{}, nil, errStepOver
	}
	network, err := s.attempt(from)
	if err != nil {
		return Half{}, nil, err
	}
	h, ok, err := s.store.TryHalf(ctx, token.Hash(), s.now())
	if err != nil {
		return Half{}, nil, err
	}
	if !ok {
		return Half{}, nil, errStepOver
	}
	if ok, wait := s.codes.Allow(string(h.Account)); !ok {
		return Half{}, nil, fault.New(fault.RateLimited, "too many wrong codes").At("code").After(wait).WithHint("wait an hour, or ask an owner of the organization for help")
	}
	return h, func() { s.codes.GiveBack(string(h.Account)); network() }, nil
}

// finish ends a half sign-in with a whole one.
func (s *Service) finish(ctx context.Context, h Half, p Proof, method string, from Origin) (SignedIn, error) {
	who, err := s.callerOf(ctx, h.Account, h.Organization)
	if err != nil {
		return SignedIn{}, err
	}
	who = who.From(from.Address)
	in, a, err := s.arrival(ctx, who, from, h.Method+" and "+method)
	if err != nil {
		return SignedIn{}, err
	}
	if p.Code != (secret.Hash{}) {
		a.Events = append(a.Events, audit.New(who, s.now(), audit.RecoveryCodeUsed, string(h.Account), nil))
	}
	err = s.store.EnterByProof(ctx, &h.Hash, p, a)
	if fault.Is(err, fault.Conflict) {
		// A code that is not there, or that somebody else was faster with.
		return SignedIn{}, orElse(s.store.Note(ctx, s.failed(h.Account, method, from, nil).In(h.Organization)), errWrongCode)
	}
	return in, err
}

func orElse(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// BeginStep asks for one of the account's passkeys, as FinishByPasskey needs it.
func (s *Service) BeginStep(ctx context.Context, token secret.Text) (options string, err error) {
	if !secret.Is(secret.StepToken, token.Reveal()) {
		return "", errStepOver
	}
	h, ok, err := s.store.Half(ctx, token.Hash(), s.now())
	if err != nil {
		return "", err
	}
	if !ok {
		return "", errStepOver
	}
	return s.askFor(ctx, h.Account, token, secondStep)
}

// FinishByPasskey takes the second step with a passkey.
func (s *Service) FinishByPasskey(ctx context.Context, token secret.Text, response string, from Origin) (SignedIn, error) {
	h, right, err := s.try(ctx, token, from)
	if err != nil {
		return SignedIn{}, err
	}
	p, err := s.answered(ctx, h.Account, token, secondStep, response, from)
	if err != nil {
		return SignedIn{}, err
	}
	in, err := s.finish(ctx, h, p, "passkey", from)
	if err == nil {
		right()
	}
	return in, err
}
