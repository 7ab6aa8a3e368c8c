package apikey

import (
	"context"
	"fmt"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/letter"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// ExpiryLetter is the kind of letters that say that a key will expire.
const ExpiryLetter letter.Kind = "key_expiry"

// reminders are when the owner of a key is told that it will expire, by how long
// it lives.
var reminders = []struct{ before, lived time.Duration }{{7 * day, 14 * day}, {day, 7 * day}}

// due is the latest reminder of a key whose time has come: when it was due. Zero:
// none is.
func due(k Key, now time.Time) (at time.Time) {
	life := k.ExpiresAt.Sub(k.CreatedAt)
	for _, r := range reminders {
		if when := k.ExpiresAt.Add(-r.before); life >= r.lived && !now.Before(when) {
			at = when
		}
	}
	return at
}

// RemindOwners queues a letter to the owner of each key that will soon expire,
// once for each reminder: who was told since it was due is not told again,
// however many nodes ask at the same time.
func (s *Service) RemindOwners(ctx context.Context, who caller.Caller) error {
	if err := access.CheckInstance(who); err != nil {
		return err
	}
	now := s.Now()
	soon, err := s.Store.Expiring(ctx, now, 500)
	if err != nil {
		return err
	}
	for _, x := range soon {
		since := due(x.Key, now)
		if since.IsZero() {
			continue
		}
		if _, err := s.Store.Told(ctx, x.Key.ID, since, now, s.expiryLetter(x, now)); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) expiryLetter(x Expiring, now time.Time) letter.Letter {
	k := x.Key
	when := k.ExpiresAt.UTC().Format("2 January 2006, 15:04 UTC")
	page := secret.New(s.PublicURL + "/keys/" + string(k.ID))
	return letter.Write(ExpiryLetter, x.Email, x.Name, fmt.Sprintf("The key “%s” expires on %s", k.Name, k.ExpiresAt.UTC().Format("2 January")), x.Organization, page, letter.Parts{
		Greeting: "Hello " + x.Name + ",",
		Lines: []string{fmt.Sprintf("the key “%s” (%s) in the organization %s expires on %s. From then on, whatever uses it is refused.", k.Name, k.Hint, x.Organization, when),
			"If it is still needed, rotate it: you get a new value, and the old one works until you have put the new one in place."},
		Button: "Look at the key",
		Why:    "You get this because the key is yours, or you made it.",
	}, now).In(k.Organization, string(k.ID)).Until(k.ExpiresAt)
}
