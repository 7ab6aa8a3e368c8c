package account_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/migrated"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/account"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/kms"
	"github.com/gatehouse-dev/gatehouse/internal/letter"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/store"
)

// counting notes what is asked of the store, and of what size: what an answer
// costs, without a clock.
type counting struct {
	account.Store
	mu  sync.Mutex
	did []string
}

func (c *counting) note(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.did = append(c.did, fmt.Sprintf(format, args...))
}

func (c *counting) take() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	did := strings.Join(c.did, ", ")
	c.did = nil
	return did
}

func (c *counting) Credential(ctx context.Context, email string) (account.Credential, bool, error) {
	c.note("credential")
	return c.Store.Credential(ctx, email)
}

func (c *counting) PersonByEmail(ctx context.Context, email string) (account.Person, bool, error) {
	c.note("person")
	return c.Store.PersonByEmail(ctx, email)
}

// size is how much of an event is hashed and stored.
func size(e audit.Event) string {
	return fmt.Sprint(e.Type, len(e.Target), len(e.Actor), len(e.Detail))
}

func (c *counting) Note(ctx context.Context, e audit.Event) error {
	c.note("write %s", size(e))
	return c.Store.Note(ctx, e)
}

func (c *counting) Pretend(ctx context.Context, e audit.Event) error {
	c.note("write %s", size(e))
	return c.Store.Pretend(ctx, e)
}

func (c *counting) SaveMailLink(ctx context.Context, real bool, l account.MailLink, letters []letter.Letter, e audit.Event) error {
	c.note("write %s and %d letters", size(e), len(letters))
	return c.Store.SaveMailLink(ctx, real, l, letters, e)
}

func (c *counting) SaveSignUp(ctx context.Context, u account.SignUp, letters []letter.Letter) error {
	c.note("write an address and %d letters", len(letters))
	return c.Store.SaveSignUp(ctx, u, letters)
}

func newService(t *testing.T) (*account.Service, *counting) {
	t.Helper()
	db, err := store.Open(t.Context(), migrated.SQLite(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	ring, err := kms.New(secret.New(base64.StdEncoding.EncodeToString(make([]byte, 32))))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 3, 14, 9, 30, 0, 0, time.UTC)
	if _, err := db.Unlock(t.Context(), ring, now); err != nil {
		t.Fatal(err)
	}
	c := &counting{Store: db.Accounts()}
	s := account.New(c, db.Orgs(), func() time.Time { return now }).At("https://gate.example.com").Opening(account.Doors{Strangers: true, Mailed: true})
	if _, err := s.Found(t.Context(), caller.OfOperator(""), account.First{Organization: "Acme", Email: "olive@acme.example", Password: secret.New("correct horse battery")}); err != nil {
		t.Fatal(err)
	}
	return s, c
}

func TestAStrangersWorkIsTheSame(t *testing.T) {
	t.Parallel()
	s, c := newService(t)
	from := account.Origin{Address: "192.0.2.7", UserAgent: "ua"}
	for what, do := range map[string]func(email string) error{
		"a wrong password": func(email string) error {
			_, err := s.SignInByPassword(t.Context(), email, secret.New("not the password"), from)
			if !fault.Is(err, fault.Unauthenticated) {
				t.Errorf("signing in as %s: %v", email, err)
			}
			return nil
		},
		"an account":           func(email string) error { return s.AskSignUp(t.Context(), email, from) },
		"a forgotten password": func(email string) error { return s.AskReset(t.Context(), email, from) },
	} {
		var did []string
		for _, email := range []string{"olive@acme.example", "nobody@acme.example"} {
			c.take()
			if err := do(email); err != nil {
				t.Fatal(err)
			}
			did = append(did, c.take())
		}
		if did[0] != did[1] || did[0] == "" {
			t.Errorf("%s: for an account the work is\n%s\nand for a stranger\n%s", what, did[0], did[1])
		}
	}
}

func TestWhereThereAreNoPasskeys(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]bool{"https://gate.example.com": true, "http://localhost:8080": true, "http://127.0.0.1:8080": false, "http://[::1]:8080": false, "": false} {
		if got := account.New(nil, nil, time.Now).At(url).HasPasskeys(); got != want {
			t.Errorf("at %q: %v", url, got)
		}
	}
}

// TestTokensOfOneKindOpenNothingElse shows every kind of token at every door.
func TestTokensOfOneKindOpenNothingElse(t *testing.T) {
	t.Parallel()
	s, _ := newService(t)
	ctx, from := t.Context(), account.Origin{Address: "192.0.2.7"}
	for _, kind := range []secret.Kind{secret.BrowserToken, secret.SignInLink, secret.MailToken, secret.StepToken, secret.InviteToken} {
		token := secret.Mint(kind)
		if _, err := s.Authenticate(ctx, token, ""); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("%s as a session: %v", kind, err)
		}
		if _, err := s.FinishByCode(ctx, token, "123456", from); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("%s as a half sign-in: %v", kind, err)
		}
		if _, err := s.Reset(ctx, token, secret.New("long enough, this"), from); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s as a reset link: %v", kind, err)
		}
		if _, err := s.LookSignUp(ctx, token); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s as a sign-up link: %v", kind, err)
		}
		if _, err := s.RestoreEmail(ctx, token, from); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s as a way back: %v", kind, err)
		}
		if _, err := s.SignInByPasskey(ctx, token, "{}", from); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("%s as a passkey's question: %v", kind, err)
		}
	}
}
