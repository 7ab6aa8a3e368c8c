package console_test

import (
	"context"
	"encoding/base64"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/migrated"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/account"
	"github.com/gatehouse-dev/gatehouse/internal/activity"
	"github.com/gatehouse-dev/gatehouse/internal/apikey"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/cloudaccess"
	"github.com/gatehouse-dev/gatehouse/internal/door/console"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/invite"
	"github.com/gatehouse-dev/gatehouse/internal/jwks"
	"github.com/gatehouse-dev/gatehouse/internal/kms"
	"github.com/gatehouse-dev/gatehouse/internal/letter"
	"github.com/gatehouse-dev/gatehouse/internal/oauth"
	"github.com/gatehouse-dev/gatehouse/internal/onboarding"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/outbox"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/serviceaccount"
	"github.com/gatehouse-dev/gatehouse/internal/session"
	"github.com/gatehouse-dev/gatehouse/internal/store"
	"github.com/gatehouse-dev/gatehouse/internal/upstream"
	"github.com/gatehouse-dev/gatehouse/internal/usage"
	"github.com/gatehouse-dev/gatehouse/internal/workspace"
)

// clock is the time of one world, moved by hand.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// logs keeps what was logged.
type logs struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// world is a console over the real rooms and a real database, served on loopback.
type world struct {
	t          testing.TB
	clock      *clock
	db         *store.DB
	url        string
	accounts   *account.Service
	orgs       *org.Service
	keys       *apikey.Service
	sessions   *session.Service
	devices    *oauth.Service
	upstreams  *upstream.Service
	clouds     *cloudaccess.Service
	onboarding *onboarding.Service
	workspaces *workspace.Service
	services   *serviceaccount.Service
	invites    *invite.Service
	log        *logs
	cfg        console.Config

	owner  org.Member
	member org.Member
	mail   *mailbox

	// Of an organization that has been in use for a while.
	place   workspace.Workspace
	robot   serviceaccount.Account
	stopped apikey.Key
}

// mailbox keeps the letters that are handed to the store.
type mailbox struct {
	account.Store
	mu   sync.Mutex
	sent []letter.Letter
}

func (m *mailbox) keep(err error, letters []letter.Letter) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err == nil {
		m.sent = append(m.sent, letters...)
	}
	return err
}

func (m *mailbox) SaveMailLink(ctx context.Context, real bool, l account.MailLink, letters []letter.Letter, e audit.Event) error {
	if err := m.Store.SaveMailLink(ctx, real, l, letters, e); err != nil || !real {
		return err
	}
	return m.keep(nil, letters)
}

func (m *mailbox) ChangeEmail(ctx context.Context, l, undo account.MailLink, letters []letter.Letter, e audit.Event) error {
	return m.keep(m.Store.ChangeEmail(ctx, l, undo, letters, e), letters)
}

func (m *mailbox) StartBrowser(ctx context.Context, a account.Arrival) error {
	return m.keep(m.Store.StartBrowser(ctx, a), a.Letters)
}

func (m *mailbox) EnterByLink(ctx context.Context, link secret.Hash, a account.Arrival) error {
	return m.keep(m.Store.EnterByLink(ctx, link, a), a.Letters)
}

func (m *mailbox) EnterByProof(ctx context.Context, half *secret.Hash, p account.Proof, a account.Arrival) error {
	return m.keep(m.Store.EnterByProof(ctx, half, p, a), a.Letters)
}

func (m *mailbox) SaveSignUp(ctx context.Context, u account.SignUp, letters []letter.Letter) error {
	return m.keep(m.Store.SaveSignUp(ctx, u, letters), letters)
}

// take returns the letters that came since it was asked last.
func (m *mailbox) take() []letter.Letter {
	m.mu.Lock()
	defer m.mu.Unlock()
	sent := m.sent
	m.sent = nil
	return sent
}

const password = "correct horse battery"

func newWorld(t testing.TB, changes ...func(*console.Config)) *world {
	t.Helper()
	ctx := context.Background()
	w := &world{t: t, clock: &clock{at: time.Date(2026, 3, 14, 9, 30, 0, 0, time.UTC)}, log: &logs{}}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	db, err := store.Open(ctx, migrated.SQLite(t))
	must(err)
	t.Cleanup(func() { must(db.Close()) })
	w.db = db
	ring, err := kms.New(secret.New(base64.StdEncoding.EncodeToString(make([]byte, 32))))
	must(err)
	instance, err := db.Unlock(ctx, ring, w.clock.now())
	must(err)
	keys, err := jwks.Load(ctx, db.SigningKeys(), jwks.EdDSA, w.clock.now)
	must(err)

	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	w.url = server.URL
	w.mail = &mailbox{Store: db.Accounts()}
	w.accounts = account.New(w.mail, db.Orgs(), w.clock.now).At(w.url).Opening(account.Doors{Mailed: true})
	w.orgs = &org.Service{Store: db.Orgs(), Now: w.clock.now}
	w.workspaces = &workspace.Service{Store: db.Workspaces(), Now: w.clock.now}
	w.services = &serviceaccount.Service{Store: db.ServiceAccounts(), Now: w.clock.now}
	w.keys = &apikey.Service{Store: db.APIKeys(), Members: db.Orgs(), Workspaces: db.Workspaces(), Services: db.ServiceAccounts(), ClaudeCode: w.workspaces, Now: w.clock.now}
	w.sessions = session.New(session.Config{Store: db.Sessions(), Members: db.Orgs(), Workspaces: db.Workspaces(), ClaudeCode: w.workspaces, Keys: keys, Issuer: w.url, RefreshKey: instance.RefreshKey, Now: w.clock.now})
	w.devices = &oauth.Service{Store: db.OAuth(), Sessions: w.sessions, Members: db.Orgs(), Now: w.clock.now}
	w.upstreams = &upstream.Service{Store: db.Upstreams(), Now: w.clock.now}
	w.clouds = &cloudaccess.Service{Store: db.CloudAccess(), PublicURL: w.url, Now: w.clock.now}
	w.onboarding = onboarding.New(onboarding.Config{Store: db.Setups(), Members: db.Orgs(), PublicURL: w.url, Now: w.clock.now})
	w.invites = invite.NewService(invite.Config{Store: posted{db.Invites(), w}, Accounts: w.accounts, Key: instance.RefreshKey, PublicURL: w.url, Mailed: true, Now: w.clock.now})
	cfg := console.Config{Accounts: w.accounts, Organizations: w.orgs, Keys: w.keys, Sessions: w.sessions, Workspaces: w.workspaces, ServiceAccounts: w.services, Devices: w.devices, Record: &activity.Service{Store: db.Activities(), Now: w.clock.now}, Upstreams: w.upstreams, CloudAccess: w.clouds, Usage: usage.NewService(db.Ledger()),
		Onboarding:  w.onboarding,
		Joining:     w.invites,
		Invitations: w.invites,
		Outbox:      &outbox.Service{Store: db.Outbox(), Now: w.clock.now},
		SelfService: true,
		PublicURL:   w.url, Now: w.clock.now, Logger: slog.New(slog.NewTextHandler(w.log, nil)),
		ClientAddress: func(r *http.Request) string {
			host, _, _ := net.SplitHostPort(r.RemoteAddr)
			return host
		}}
	for _, change := range changes {
		change(&cfg)
	}
	w.cfg = cfg
	console.New(cfg).Mount(mux)
	return w
}

// populate makes an organization with an owner and a developer.
func (w *world) populate() *world {
	w.t.Helper()
	ctx := context.Background()
	var err error
	w.owner, err = w.accounts.Found(ctx, caller.OfOperator(""), account.First{Organization: "Acme Rockets", Email: "olive@acme.example", Name: "Olive Owner", Password: secret.New(password)})
	if err != nil {
		w.t.Fatal(err)
	}
	w.member = w.add("dev@acme.example", "Dev Eloper", access.Developer)
	return w
}

func (w *world) add(email, name string, role access.Role) org.Member {
	w.t.Helper()
	o := w.owner.Organization
	m, err := w.orgs.Add(context.Background(), caller.OfOperator(o), o, org.NewMember{Email: email, Name: name, Role: role})
	if err == nil { // as it is read, with what its organization's plan gives
		m, _, err = w.db.Orgs().Member(context.Background(), o, m.ID)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return m
}

// link is the path of a fresh sign-in link.
func (w *world) link(m org.Member) string {
	w.t.Helper()
	token, err := w.accounts.MakeSignInLink(context.Background(), caller.OfOperator(m.Organization), m.Organization, m.ID, false)
	if err != nil {
		w.t.Fatal(err)
	}
	return "/link/" + token.Reveal()
}

// visitor is a browser without a screen. It follows no redirect by itself.
type visitor struct {
	t       testing.TB
	url     string
	client  *http.Client
	headers map[string]string
}

func (w *world) visitor() *visitor {
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return &visitor{t: w.t, url: w.url, client: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// as is a visitor who has signed in.
func (w *world) as(m org.Member) *visitor {
	w.t.Helper()
	v := w.visitor()
	if got := v.post(w.link(m), nil); got.status != http.StatusSeeOther {
		w.t.Fatalf("signing in: %d\n%s", got.status, got.body)
	}
	return v
}

type answer struct {
	status   int
	header   http.Header
	location string
	body     string
}

func (v *visitor) get(path string) answer { return v.do(http.MethodGet, path, nil) }

func (v *visitor) post(path string, fields url.Values) answer {
	return v.do(http.MethodPost, path, fields)
}

func (v *visitor) do(method, path string, fields url.Values) answer {
	v.t.Helper()
	req, err := http.NewRequest(method, v.url+path, strings.NewReader(fields.Encode()))
	if err != nil {
		v.t.Fatal(err)
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	req.Header.Set("Accept", "text/html")
	for name, value := range v.headers {
		req.Header.Set(name, value)
	}
	res, err := v.client.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, res.Header.Get("Location"), string(body)}
}

// second makes another organization, with a member who may be in the first.
func (w *world) second(t testing.TB, name, email string) id.Organization {
	t.Helper()
	founder, err := w.accounts.Found(context.Background(), caller.OfOperator(""), account.First{Organization: name, Email: email})
	if err != nil {
		t.Fatal(err)
	}
	return founder.Organization
}
