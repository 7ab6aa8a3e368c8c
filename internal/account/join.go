package account

import (
	"context"

	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/password"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// HashNew checks a new password and returns what to store of it.
func (s *Service) HashNew(ctx context.Context, pass secret.Text) (string, error) {
	if err := password.Check(pass); err != nil {
		return "", err
	}
	return s.passwords.Hash(ctx, pass)
}

// NewBrowser makes a browser session for somebody who has just joined. It is
// worth nothing until it is stored, with all else that joining changes.
func (s *Service) NewBrowser(m org.Member, from Origin) (SignedIn, Browser) {
	return s.browser(m.Caller(caller.Web).From(from.Address), from, "invitation")
}
