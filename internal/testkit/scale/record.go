package scale

import (
	"fmt"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/store"
)

// record tells of two years: mostly of sign-ins and sessions, as everywhere.
func (f *filling) record(db *store.DB) error {
	const atOnce = 2000
	begin := f.now.AddDate(-2, 0, 0)
	step := f.now.Sub(begin) / time.Duration(f.size.Activities+1)
	for at := 0; at < f.size.Activities; at += atOnce {
		events := make([]audit.Event, min(atOnce, f.size.Activities-at))
		for i := range events {
			events[i] = f.event(at+i, begin.Add(time.Duration(at+i)*step))
		}
		if err := db.Activities().NoteAll(f.ctx, events); err != nil {
			return fmt.Errorf("recording: %w", err)
		}
	}
	return nil
}

func (f *filling) event(i int, at time.Time) audit.Event {
	who, whom := one(f, f.people), one(f, f.people)
	act := caller.Caller{Kind: caller.Person, Way: caller.Web, Organization: f.org, Account: who.account, Member: who.member, Email: who.email, Address: network(f.random.IntN(60_000))}
	host := fmt.Sprintf("%s-%d", one(f, hosts), f.random.IntN(20_000))
	switch n := f.random.IntN(100); {
	case n < 35:
		return audit.New(act, at, audit.SessionRefreshed, string(id.NewDeviceSession()), audit.Detail{"session": host})
	case n < 60:
		return audit.New(act, at, audit.SignedIn, string(who.account), audit.Detail{"method": "password", "user_agent": "Mozilla/5.0", "browser": string(id.NewBrowser())})
	case n < 75:
		return audit.New(act, at, audit.SessionStarted, string(id.NewDeviceSession()), audit.Detail{"client": "claude-code", "session": host})
	case n < 85:
		return audit.New(act, at, audit.KeyCreated, string(one(f, f.keys)), audit.Detail{"name": fmt.Sprintf("%s %s on build %d", one(f, keyWords), one(f, keyWords), i), "kind": "api"})
	case n < 90:
		return audit.New(act, at, audit.MemberUpdated, string(whom.member), audit.Detail{"email": whom.email, "role_before": "user", "role_after": "developer"})
	case n < 95:
		return audit.New(act, at, audit.InviteSent, string(id.NewInvite()), audit.Detail{"email": "new." + whom.email, "role": "developer"})
	case n < 98:
		return audit.New(act, at, audit.SessionRevoked, string(id.NewDeviceSession()), audit.Detail{"session": host, "of": whom.email, "why": "revoked"})
	}
	return audit.New(act, at, audit.GroupMemberAdded, string(one(f, f.groups)), audit.Detail{"email": whom.email})
}
