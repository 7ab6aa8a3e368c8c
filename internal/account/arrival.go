package account

import (
	"context"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/letter"
	"github.com/gatehouse-dev/gatehouse/internal/limit"
	"github.com/gatehouse-dev/gatehouse/internal/useragent"
)

const (
	// maxAlerts is how many letters tell an account's holder of new browsers within
	// a day. What comes on top is in the history, as all of it is.
	maxAlerts = 3
	alertLife = 7 * 24 * time.Hour
	// maxSeen is how many past sign-ins are looked through.
	maxSeen = 500
)

// Arrival is a browser session that begins, with what is told of it.
type Arrival struct {
	Browser
	Letters []letter.Letter
	Events  []audit.Event
}

// arrival begins a browser session, and tells the account's holder by a letter if
// it is in a browser that their sign-in history does not know. That is for
// accounts and not for organizations: none can switch it off.
func (s *Service) arrival(ctx context.Context, who caller.Caller, from Origin, method string) (SignedIn, Arrival, error) {
	in, b := s.browser(who, from, method)
	past, err := s.store.History(ctx, who.Account, []audit.Type{audit.SignedIn}, time.Unix(0, 0), maxSeen)
	if err != nil {
		return SignedIn{}, Arrival{}, err
	}
	detail := audit.Detail{"method": b.Method, "user_agent": b.UserAgent, "browser": string(b.ID)}
	a := Arrival{Browser: b}
	if len(past) > 0 && !seen(past, b) {
		detail["new_browser"] = "yes"
		if alerts(past, b.CreatedAt) < maxAlerts {
			p, _, err := s.store.Person(ctx, who.Account)
			if err != nil {
				return SignedIn{}, Arrival{}, err
			}
			a.Letters = []letter.Letter{s.newBrowserLetter(p, b)}
		}
	}
	a.Events = []audit.Event{audit.New(who, b.CreatedAt, audit.SignedIn, string(b.Account), detail)}
	return in, a, nil
}

// seen reports whether an account was entered before by the same browser, of
// whatever version, from the same network.
func seen(past []audit.Event, b Browser) bool {
	for _, e := range past {
		if limit.Network(e.Detail["address"]) == limit.Network(b.Address) && useragent.Same(e.Detail["user_agent"], b.UserAgent) {
			return true
		}
	}
	return false
}

// alerts counts the new browsers of the last day.
func alerts(past []audit.Event, now time.Time) int {
	n := 0
	for _, e := range past {
		if e.Detail["new_browser"] != "" && now.Sub(e.At) < 24*time.Hour {
			n++
		}
	}
	return n
}
