package console

import (
	"github.com/gatehouse-dev/gatehouse/internal/apikey"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/org"
)

// belongings is what hangs on a member; -1 is what the visitor may not see.
type belongings struct{ Sessions, Keys int }

func (b belongings) sessions() string { return countSeen(b.Sessions, "session") }
func (b belongings) keys() string     { return countSeen(b.Keys, "active key") }

// refused says what stops with the member.
func (b belongings) refused() string {
	if b.Sessions < 0 || b.Keys < 0 {
		return "Their device sessions and API keys are refused within a second, also in the middle of an answer."
	}
	return count(b.Sessions, "device session") + " and " + count(b.Keys, "active API key") + " of theirs are refused within a second, also in the middle of an answer."
}

func countSeen(n int, thing string) string {
	if n < 0 {
		return ""
	}
	return count(n, thing)
}

func (c *Console) belongings(v *visit, m id.Member) (belongings, error) {
	has := belongings{-1, -1}
	if v.who.Rights.Has(caller.AllSessions) {
		n, err := c.cfg.Sessions.Count(v.r.Context(), v.who, v.who.Organization, m)
		if err != nil {
			return has, err
		}
		has.Sessions = n
	}
	if v.who.Rights.Has(caller.AllKeys) {
		n, err := c.cfg.Keys.Count(v.r.Context(), v.who, v.who.Organization, apikey.Filter{Member: m})
		if err != nil {
			return has, err
		}
		has.Keys = n
	}
	return has, nil
}

// evidence shows that what hung on a member stopped.
type evidence struct {
	Sessions, Keys        string
	Accepted, Refused     moment
	NeverUsed, NeverTried bool
}

// proofOf reads the proof for a member who is suspended or removed, if the
// visitor may see it; nil otherwise.
func (c *Console) proofOf(v *visit, m org.Member) (*evidence, error) {
	if m.Status == org.Active || !v.who.Rights.Has(caller.AllSessions) || !v.who.Rights.Has(caller.AllKeys) {
		return nil, nil
	}
	sessions, err := c.cfg.Sessions.Proof(v.r.Context(), v.who, v.who.Organization, m.ID)
	if err != nil {
		return nil, err
	}
	keys, err := c.cfg.Keys.Proof(v.r.Context(), v.who, v.who.Organization, m.ID)
	if err != nil {
		return nil, err
	}
	accepted, refused := sessions.LastAccepted, sessions.FirstRefused
	if keys.LastAccepted.After(accepted) {
		accepted = keys.LastAccepted
	}
	if refused.IsZero() || (!keys.FirstRefused.IsZero() && keys.FirstRefused.Before(refused)) {
		refused = keys.FirstRefused
	}
	return &evidence{Sessions: count(sessions.Sessions, "device session"), Keys: count(keys.Keys, "key"), Accepted: c.moment(accepted), Refused: c.moment(refused),
		NeverUsed: accepted.IsZero(), NeverTried: refused.IsZero()}, nil
}
