package console

import (
	"context"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/account"
	"github.com/gatehouse-dev/gatehouse/internal/apikey"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/cloudaccess"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/oauth"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/session"
	"github.com/gatehouse-dev/gatehouse/internal/upstream"
	"github.com/gatehouse-dev/gatehouse/internal/usage"
)

// Accounts signs people in; *account.Service does.
type Accounts interface {
	AccountSecurity
	SignUps
	NeedsSetup(ctx context.Context) (bool, error)
	Look(ctx context.Context, token secret.Text, kind account.LinkKind) (account.Link, error)
	Setup(ctx context.Context, link secret.Text, in account.First, from account.Origin) (account.SignedIn, error)
	SignInByLink(ctx context.Context, token secret.Text, from account.Origin) (account.SignedIn, error)
	SignInByPassword(ctx context.Context, email string, pass secret.Text, from account.Origin) (account.SignedIn, error)
	Authenticate(ctx context.Context, token secret.Text, address string) (caller.Caller, error)
	Memberships(ctx context.Context, who caller.Caller) ([]org.Member, error)
	Choose(ctx context.Context, who caller.Caller, token secret.Text, o id.Organization) error
	SignOut(ctx context.Context, who caller.Caller, token secret.Text) error
	SetPassword(ctx context.Context, who caller.Caller, token, current, fresh secret.Text) error
	MakeSignInLink(ctx context.Context, who caller.Caller, o id.Organization, m id.Member, reusable bool) (secret.Text, error)
}

// Keys keeps API keys; *apikey.Service does.
type Keys interface {
	Create(ctx context.Context, who caller.Caller, o id.Organization, in apikey.New) (apikey.Key, secret.Text, error)
	CreateForService(ctx context.Context, who caller.Caller, o id.Organization, in apikey.New) (apikey.Key, secret.Text, error)
	CreateAdmin(ctx context.Context, who caller.Caller, o id.Organization, in apikey.New) (apikey.Key, secret.Text, error)
	Rotate(ctx context.Context, who caller.Caller, o id.Organization, k id.APIKey, overlap time.Duration, expires time.Time) (apikey.Key, secret.Text, error)
	LongestLife(ctx context.Context, who caller.Caller, o id.Organization) (time.Duration, error)
	Count(ctx context.Context, who caller.Caller, o id.Organization, f apikey.Filter) (int, error)
	Proof(ctx context.Context, who caller.Caller, o id.Organization, m id.Member) (apikey.Proof, error)
	List(ctx context.Context, who caller.Caller, o id.Organization, f apikey.Filter) (keys []apikey.Key, more bool, err error)
	Get(ctx context.Context, who caller.Caller, o id.Organization, k id.APIKey) (apikey.Key, error)
	Update(ctx context.Context, who caller.Caller, o id.Organization, k id.APIKey, c apikey.Change) (apikey.Key, error)
}

// Sessions keeps device sessions; *session.Service does.
type Sessions interface {
	List(ctx context.Context, who caller.Caller, o id.Organization, f session.Filter) (page []session.Session, more bool, err error)
	Get(ctx context.Context, who caller.Caller, o id.Organization, d id.DeviceSession) (session.Session, error)
	Count(ctx context.Context, who caller.Caller, o id.Organization, m id.Member) (int, error)
	Proof(ctx context.Context, who caller.Caller, o id.Organization, m id.Member) (session.Proof, error)
	EndAll(ctx context.Context, who caller.Caller, o id.Organization, m id.Member) (int, error)
	Alarms(ctx context.Context, who caller.Caller) ([]session.Session, error)
	End(ctx context.Context, who caller.Caller, o id.Organization, d id.DeviceSession) error
}

// Devices decides on devices that ask to be signed in; *oauth.Service does.
type Devices interface {
	Look(ctx context.Context, who caller.Caller, userCode string) (oauth.Authorization, error)
	Decide(ctx context.Context, who caller.Caller, userCode string, approve bool) (oauth.Authorization, error)
	Issue(ctx context.Context, who caller.Caller, r oauth.CodeRequest) (secret.Text, error)
}

// Upstreams keeps where models answer; *upstream.Service does.
type Upstreams interface {
	List(ctx context.Context, who caller.Caller, o id.Organization) ([]upstream.Upstream, error)
	Connect(ctx context.Context, who caller.Caller, o id.Organization, in upstream.New) (upstream.Upstream, error)
	Change(ctx context.Context, who caller.Caller, o id.Organization, u id.Upstream, in upstream.Change) (upstream.Upstream, error)
	Move(ctx context.Context, who caller.Caller, o id.Organization, u id.Upstream, forward bool) error
	Test(ctx context.Context, who caller.Caller, o id.Organization, u id.Upstream, model string) (upstream.Upstream, upstream.Probe, error)
	Health(ctx context.Context, who caller.Caller, o id.Organization) (map[string]upstream.Health, error)
	Remove(ctx context.Context, who caller.Caller, o id.Organization, u id.Upstream) error
}

// CloudAccess keeps which clouds members reach themselves; *cloudaccess.Service does.
type CloudAccess interface {
	List(ctx context.Context, who caller.Caller, o id.Organization) ([]cloudaccess.Access, error)
	Set(ctx context.Context, who caller.Caller, o id.Organization, in cloudaccess.Access) (cloudaccess.Access, error)
	Remove(ctx context.Context, who caller.Caller, o id.Organization, c cloudaccess.Cloud) error
}

// Usage answers what was used; *usage.Service does.
type Usage interface {
	Totals(ctx context.Context, who caller.Caller, o id.Organization, f usage.Filter) (usage.Totals, error)
	Days(ctx context.Context, who caller.Caller, o id.Organization, f usage.Filter) ([]usage.Day, error)
	List(ctx context.Context, who caller.Caller, o id.Organization, f usage.Filter, p usage.Page) ([]usage.Entry, error)
}
