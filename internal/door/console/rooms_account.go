package console

import (
	"context"

	"github.com/gatehouse-dev/gatehouse/internal/account"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// AccountSecurity is how people keep their accounts; *account.Service does.
type AccountSecurity interface {
	HasPasskeys() bool
	BeginPasskey(ctx context.Context, from account.Origin) (token secret.Text, options string, err error)
	SignInByPasskey(ctx context.Context, token secret.Text, response string, from account.Origin) (account.SignedIn, error)
	Step(ctx context.Context, token secret.Text) (account.Factors, error)
	BeginStep(ctx context.Context, token secret.Text) (options string, err error)
	FinishByCode(ctx context.Context, token secret.Text, code string, from account.Origin) (account.SignedIn, error)
	FinishByPasskey(ctx context.Context, token secret.Text, response string, from account.Origin) (account.SignedIn, error)

	AskReset(ctx context.Context, email string, from account.Origin) error
	LookMail(ctx context.Context, token secret.Text, kind account.MailLinkKind) (account.MailLink, error)
	Reset(ctx context.Context, token, fresh secret.Text, from account.Origin) (account.SignedIn, error)

	Confirmed(ctx context.Context, who caller.Caller, token secret.Text) error
	ConfirmByPassword(ctx context.Context, who caller.Caller, token, pass secret.Text) (account.SignedIn, error)
	BeginConfirm(ctx context.Context, who caller.Caller, token secret.Text) (options string, err error)
	ConfirmByPasskey(ctx context.Context, who caller.Caller, token secret.Text, response string, from account.Origin) (account.SignedIn, error)

	Profile(ctx context.Context, who caller.Caller) (account.Profile, error)
	Rename(ctx context.Context, who caller.Caller, name string) error
	AskEmail(ctx context.Context, who caller.Caller, token secret.Text, email string) error
	WithdrawEmail(ctx context.Context, who caller.Caller) error
	ChangeEmail(ctx context.Context, who caller.Caller, link secret.Text) error
	RestoreEmail(ctx context.Context, link secret.Text, from account.Origin) (reset secret.Text, err error)

	RemovePassword(ctx context.Context, who caller.Caller, token secret.Text) error
	Passkeys(ctx context.Context, who caller.Caller) ([]account.Passkey, error)
	NewPasskey(ctx context.Context, who caller.Caller, token secret.Text) (options string, err error)
	AddPasskey(ctx context.Context, who caller.Caller, token secret.Text, name, response string) ([]secret.Text, error)
	RemovePasskey(ctx context.Context, who caller.Caller, token secret.Text, p id.Passkey) error
	BeginTOTP(ctx context.Context, who caller.Caller, token secret.Text) (account.Enrolment, error)
	EnableTOTP(ctx context.Context, who caller.Caller, token secret.Text, code string) ([]secret.Text, error)
	DisableTOTP(ctx context.Context, who caller.Caller, token secret.Text) error
	NewRecoveryCodes(ctx context.Context, who caller.Caller, token secret.Text) ([]secret.Text, error)

	Browsers(ctx context.Context, who caller.Caller, token secret.Text) (all []account.Browser, this id.Browser, err error)
	EndBrowser(ctx context.Context, who caller.Caller, b id.Browser) error
	SignOutEverywhere(ctx context.Context, who caller.Caller) error
	History(ctx context.Context, who caller.Caller) ([]audit.Event, error)
}

// SignUps let strangers make accounts; *account.Service does.
type SignUps interface {
	SignUpOpen(ctx context.Context) error
	AskSignUp(ctx context.Context, email string, from account.Origin) error
	LookSignUp(ctx context.Context, token secret.Text) (account.SignUp, error)
	FinishSignUp(ctx context.Context, token secret.Text, in account.First, plan org.Plan, from account.Origin) (account.SignedIn, error)
}
