package source

import (
	"context"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

// SignIn is a member's sign-in at a Gatehouse server. All fields but Profile are
// required.
type SignIn struct {
	Profile credential.Profile
	Server  string // its origin; empty if nobody is signed in
	// Stored reads the stored pair, Pair gives one that is fresh, renewing it if it
	// has to (refresh.Source).
	Stored func(context.Context) (credential.Pair, error)
	Pair   func(context.Context) (credential.Pair, error)
	Now    func() time.Time
}

// Find looks at the stored pair.
func (s SignIn) Find(ctx context.Context) (About, bool) {
	if s.Server == "" {
		return About{}, false
	}
	about := s.about()
	pair, err := s.Stored(ctx)
	switch {
	case fault.Is(err, fault.NotFound):
		return About{}, false
	case err != nil:
		about.Problem = fault.Message(err)
	default:
		about.Expires = pair.Expires
		if claims, err := credential.ReadClaims(pair.Access); err == nil && claims.Organization != "" {
			about.Payer = "your organization " + claims.Organization + ", through " + s.Server
		}
		if pair.Refresh.Empty() && !pair.Usable(s.Now()) {
			about.Problem = "it has ended and cannot renew itself"
		}
	}
	return about, true
}

func (s SignIn) about() About {
	return About{Kind: Account, Origin: "the sign-in at " + s.Server + " (profile " + s.Profile.String() + ")", Payer: "your organization, through " + s.Server}
}

// Credential is an access token that is fresh.
func (s SignIn) Credential(ctx context.Context) (Credential, error) {
	if s.Server == "" {
		return Credential{}, None("nobody is signed in with the profile " + s.Profile.String())
	}
	pair, err := s.Pair(ctx)
	if err != nil {
		return Credential{}, err
	}
	about, found := s.Find(ctx)
	if !found {
		about = s.about()
	}
	mend := "gatehouse login" + s.Profile.Flag()
	switch {
	case !pair.Usable(s.Now()):
		return Credential{}, fault.New(fault.Unauthenticated, "%s has ended", about.Origin).WithHint(mend)
	case !credential.Printable(pair.Access):
		return Credential{}, unusable(about.Origin, mend)
	}
	about.Expires, about.Problem = pair.Expires, ""
	return Credential{About: about, Scheme: Both, Value: pair.Access}, nil
}
