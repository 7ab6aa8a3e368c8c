package server_test

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"
	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/account"
	"github.com/gatehouse-dev/gatehouse/internal/apikey"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/nodes"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/postgres"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/upstream"
	"github.com/gatehouse-dev/gatehouse/internal/usage"
)

func operator() caller.Caller { return caller.OfOperator("") }

// adminClient is an unmodified SDK client with only the base URL changed.
func adminClient(base string, w *nodes.World, more ...option.RequestOption) anthropic.Client {
	return anthropic.NewClient(append([]option.RequestOption{option.WithoutEnvironmentDefaults(), option.WithBaseURL(base), option.WithAPIKey(w.Sample.AdminKey.Reveal()),
		option.WithMaxRetries(0)}, more...)...)
}

// sampleKey is the one API key of the sample organization, over the Admin API.
func sampleKey(t testing.TB, w *nodes.World) anthropic.APIKey {
	t.Helper()
	client := adminClient(w.URL, w)
	page, err := client.Organization.APIKeys.List(t.Context(), anthropic.OrganizationAPIKeyListParams{})
	if err != nil || len(page.Data) != 1 {
		t.Fatalf("listing keys: %v, %+v", err, page)
	}
	return page.Data[0]
}

// TestRevokedKeyEndsEverywhere switches a key off on one node while a stream
// runs on it through the other.
func TestRevokedKeyEndsEverywhere(t *testing.T) {
	nodes.Each(t, func(t *testing.T, database string) {
		up := upstream.New(t)
		w := nodes.Start(t, nodes.Options{Database: database, UpstreamURL: up.URL})
		second := w.Join(t)
		key := w.Sample.APIKey.Reveal()
		step := make(chan struct{}, 4)
		up.Always(upstream.Plan{Words: 50, Step: step})
		for range cap(step) {
			step <- struct{}{}
		}
		stream := openStream(t, second.URL, key)
		for range 3 {
			stream.next(t)
		}
		client := adminClient(w.URL, w)
		was := sampleKey(t, w)
		changed := time.Now()
		is, err := client.Organization.APIKeys.Update(t.Context(), was.ID, anthropic.OrganizationAPIKeyUpdateParams{Status: anthropic.OrganizationAPIKeyUpdateParamsStatusInactive})
		if err != nil || is.Status != "inactive" {
			t.Fatalf("switching the key off: %v, %+v", err, is)
		}
		last := stream.rest(t)
		if took := time.Since(changed); took > patience {
			t.Errorf("the stream ended after %v", took)
		}
		if !strings.Contains(last, "event: error") || !strings.Contains(last, "authentication_error") {
			t.Errorf("the stream ends with %q", last)
		}
		for _, base := range []string{w.URL, second.URL} {
			waitFor(t, "the key to be refused", func() bool { return ask(t, base, key) == 401 })
		}
		up.Always(upstream.Plan{})
		if _, err := client.Organization.APIKeys.Update(t.Context(), was.ID, anthropic.OrganizationAPIKeyUpdateParams{Status: anthropic.OrganizationAPIKeyUpdateParamsStatusActive}); err != nil {
			t.Fatal(err)
		}
		for _, base := range []string{w.URL, second.URL} {
			if got := ask(t, base, key); got != 200 {
				t.Errorf("the key switched on again: %d", got)
			}
		}
	})
}

// sse is an open stream.
type sse struct {
	body *bufio.Reader
	done func()
}

func openStream(t testing.TB, base, key string) *sse {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, base+"/v1/messages", strings.NewReader(strings.Replace(hello, "{", `{"stream":true,`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("x-api-key", key)
	got, err := http.DefaultTransport.RoundTrip(r)
	if err != nil || got.StatusCode != 200 {
		t.Fatalf("opening a stream: %v, %v", err, got)
	}
	t.Cleanup(func() { got.Body.Close() })
	return &sse{body: bufio.NewReader(got.Body)}
}

// next reads one event.
func (s *sse) next(t testing.TB) (event string) {
	t.Helper()
	for {
		line, err := s.body.ReadString('\n')
		if err != nil {
			t.Fatalf("reading a stream: %v", err)
		}
		if line == "\n" {
			return event
		}
		event += line
	}
}

// rest reads to the end, whichever way it ends.
func (s *sse) rest(testing.TB) string {
	var all strings.Builder
	_, _ = s.body.WriteTo(&all)
	return all.String()
}

func TestMemberAndSessionEndEverywhere(t *testing.T) {
	nodes.Each(t, func(t *testing.T, database string) {
		w := nodes.Start(t, nodes.Options{Database: database})
		second := w.Join(t)
		token := signInDevice(t, w).text("access_token")
		if got := ask(t, second.URL, token); got != 200 {
			t.Fatalf("the session on the other node: %d", got)
		}
		rooms, who := w.Server.Rooms(), caller.OfOperator(w.Sample.Organization)
		members, _, err := rooms.Orgs.Members(t.Context(), who, w.Sample.Organization, org.MemberFilter{})
		if err != nil || len(members) != 2 {
			t.Fatalf("members: %v, %v", members, err)
		}
		if err := rooms.Orgs.Suspend(t.Context(), who, w.Sample.Organization, members[0].ID); err != nil {
			t.Fatal(err)
		}
		for name, credential := range map[string]string{"access token": token, "API key": w.Sample.APIKey.Reveal()} {
			for _, base := range []string{w.URL, second.URL} {
				waitFor(t, "the suspended member's "+name+" to be refused", func() bool { return ask(t, base, credential) == 401 })
			}
		}
		if err := rooms.Orgs.Suspend(t.Context(), who, w.Sample.Organization, members[1].ID); err == nil {
			t.Error("the primary owner can be suspended")
		}
	})
}

func TestAdminAPI(t *testing.T) {
	nodes.Each(t, func(t *testing.T, database string) {
		w := nodes.Start(t, nodes.Options{Database: database})
		client, ctx := adminClient(w.URL, w), t.Context()
		me, err := client.Organization.Get(ctx)
		if err != nil || me.ID != string(w.Sample.Organization) || me.Name != "Sample organization" || me.Type != "organization" {
			t.Fatalf("me: %v, %+v", err, me)
		}
		members, _, err := w.Server.Rooms().Orgs.Members(ctx, caller.OfOperator(w.Sample.Organization), w.Sample.Organization, org.MemberFilter{})
		if err != nil {
			t.Fatal(err)
		}
		who := members[0].Caller(caller.Web)
		for i := range 5 {
			w.Forward(t, time.Second)
			if _, _, err := w.Server.Rooms().Keys.Create(ctx, who, w.Sample.Organization, apikey.New{Name: "key " + string(rune('a'+i)), ExpiresAt: w.Clock.Now().Add(time.Hour)}); err != nil {
				t.Fatal(err)
			}
		}
		var names []string
		pager := client.Organization.APIKeys.ListAutoPaging(ctx, anthropic.OrganizationAPIKeyListParams{Limit: anthropic.Int(2)})
		for pager.Next() {
			k := pager.Current()
			names = append(names, k.Name)
			if k.Status != "active" || k.Principal.UserID != string(members[0].ID) || !strings.HasPrefix(k.PartialKeyHint, "sk-gate-api01-") {
				t.Errorf("key: %s", k.RawJSON())
			}
		}
		if got := strings.Join(names, ","); pager.Err() != nil || got != "key e,key d,key c,key b,key a,Sample key" {
			t.Errorf("paging through: %s, %v", got, pager.Err())
		}
		first := sampleKeys(t, client)[1]
		back, err := client.Organization.APIKeys.List(ctx, anthropic.OrganizationAPIKeyListParams{BeforeID: anthropic.String(first.ID)})
		if err != nil || len(back.Data) != 1 || back.Data[0].Name != "key e" || back.HasMore {
			t.Errorf("the page before: %v, %+v", err, back)
		}
		renamed, err := client.Organization.APIKeys.Update(ctx, first.ID, anthropic.OrganizationAPIKeyUpdateParams{Name: anthropic.String("renamed")})
		if err != nil || renamed.Name != "renamed" || renamed.Status != "active" {
			t.Errorf("renaming: %v, %+v", err, renamed)
		}
		if _, err := client.Organization.APIKeys.Update(ctx, first.ID, anthropic.OrganizationAPIKeyUpdateParams{Status: "archived"}); err != nil {
			t.Error(err)
		}
		wantAPIError(t, "reviving an archived key", update(client, first.ID, "active"), 400, "invalid_request_error")
		wantAPIError(t, "a status that does not exist", update(client, first.ID, "gone"), 400, "invalid_request_error")
		_, err = client.Organization.APIKeys.Get(ctx, "apikey_0000000000000000000000")
		wantAPIError(t, "a key that is not there", err, 404, "not_found_error")
		w.Forward(t, 2*time.Hour)
		expired, err := client.Organization.APIKeys.List(ctx, anthropic.OrganizationAPIKeyListParams{Status: "expired"})
		if err != nil || len(expired.Data) != 4 {
			t.Errorf("expired keys: %v, %d", err, len(expired.Data))
		}
		plain := anthropic.NewClient(option.WithoutEnvironmentDefaults(), option.WithBaseURL(w.URL), option.WithAPIKey(w.Sample.APIKey.Reveal()), option.WithMaxRetries(0))
		_, err = plain.Organization.Get(ctx)
		wantAPIError(t, "an API key at the Admin API", err, 403, "permission_error")
		if got := ask(t, w.URL, w.Sample.AdminKey.Reveal()); got != 403 {
			t.Errorf("an admin key at a model: %d", got)
		}
		body := send(t, http.MethodPost, w.URL+"/v1/organizations/api_keys/"+first.ID, "application/json", `{"stauts":"inactive"}`, http.Header{"X-Api-Key": {w.Sample.AdminKey.Reveal()}})
		if body.status != 400 || !strings.Contains(toString(body), "stauts") {
			t.Errorf("a misspelt member: %+v", body)
		}
	})
}

func toString(a answer) string {
	e, _ := a.body["error"].(map[string]any)
	s, _ := e["message"].(string)
	return s
}

func sampleKeys(t testing.TB, c anthropic.Client) []anthropic.APIKey {
	t.Helper()
	page, err := c.Organization.APIKeys.List(t.Context(), anthropic.OrganizationAPIKeyListParams{})
	if err != nil {
		t.Fatal(err)
	}
	return page.Data
}

func update(c anthropic.Client, key, status string) error {
	_, err := c.Organization.APIKeys.Update(context.Background(), key, anthropic.OrganizationAPIKeyUpdateParams{Status: anthropic.OrganizationAPIKeyUpdateParamsStatus(status)})
	return err
}

func wantAPIError(t testing.TB, what string, err error, status int, kind string) {
	t.Helper()
	e, ok := err.(*anthropic.Error)
	if !ok || e.StatusCode != status || !strings.Contains(e.RawJSON(), `"`+kind+`"`) || e.RequestID == "" {
		t.Errorf("%s: %v", what, err)
	}
}

// TestDatabaseGone stops PostgreSQL under a running server: credentials that are
// known go on working for a while, nothing is ever 401 for it, and all of it is
// in the ledger when the database is back.
func TestDatabaseGone(t *testing.T) {
	t.Parallel()
	cluster := postgres.Own(t)
	w := nodes.Start(t, nodes.Options{Database: cluster.Database(t)})
	answered := int64(0)
	ask := func(t testing.TB, base, credential string) int {
		status := ask(t, base, credential)
		if status == 200 {
			answered++
		}
		return status
	}
	known, unknown := w.Sample.APIKey.Reveal(), signInDevice(t, w)
	if got := ask(t, w.URL, known); got != 200 {
		t.Fatalf("before: %d", got)
	}
	cluster.Stop()
	if got := ask(t, w.URL, known); got != 200 {
		t.Errorf("a known key without the database: %d", got)
	}
	if got := ask(t, w.URL, unknown.text("access_token")); got != 503 {
		t.Errorf("a credential not seen before, without the database: %d", got)
	}
	refreshed := form(t, w.URL, "/oauth/token", "grant_type", "refresh_token", "refresh_token", unknown.text("refresh_token"))
	if refreshed.status != 503 || refreshed.header.Get("Retry-After") == "" {
		t.Errorf("a refresh without the database: %+v", refreshed)
	}
	if got := send(t, http.MethodGet, w.URL+"/readyz", "", "", nil).status; got != 503 {
		t.Errorf("readyz without the database: %d", got)
	}
	if got := send(t, http.MethodGet, w.URL+"/healthz", "", "", nil).status; got != 200 {
		t.Errorf("healthz without the database: %d", got)
	}
	w.Clock.Forward(10 * time.Minute)
	if got := ask(t, w.URL, known); got != 503 {
		t.Errorf("a known key after ten minutes without the database: %d", got)
	}
	cluster.Start(t)
	waitLong(t, "the database to be used again", func() bool { return ask(t, w.URL, known) == 200 })
	if got := form(t, w.URL, "/oauth/token", "grant_type", "refresh_token", "refresh_token", unknown.text("refresh_token")).status; got != 200 {
		t.Errorf("a refresh with the database back: %d", got)
	}
	who := caller.OfOperator(w.Sample.Organization)
	waitLong(t, "all that was answered to be in the ledger", func() bool {
		totals, err := w.Server.Rooms().Usage.Totals(t.Context(), who, w.Sample.Organization, usage.Filter{})
		return err == nil && totals.Requests == answered
	})
}

// waitLong is waitFor with patience, for what has no promise about its time.
func waitLong(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); {
		if time.Now().After(deadline) {
			t.Fatalf("waited long for %s", what)
		}
	}
}

// TestRecordIsProven makes some history and verifies it, then harms it.
func TestRecordIsProven(t *testing.T) {
	nodes.Each(t, func(t *testing.T, database string) {
		w := nodes.Start(t, nodes.Options{Database: database})
		signInDevice(t, w)
		proof, err := w.Server.Verify(t.Context())
		if err != nil || proof.Entries < 8 {
			t.Fatalf("verifying: %v, %d entries", err, proof.Entries)
		}
		for _, what := range []audit.Type{audit.OrganizationCreated, audit.MemberAdded, audit.KeyCreated, audit.UpstreamConnected, audit.SignInLinkMade,
			audit.SignedIn, audit.DeviceApproved, audit.SessionStarted} {
			if n := w.Server.Count(t.Context(), w.Sample.Organization, what); n == 0 {
				t.Errorf("nothing of type %s is recorded", what)
			}
		}
	})
}

// TestAdminKeyEndsWithItsMaker suspends an owner who has made an admin key.
func TestAdminKeyEndsWithItsMaker(t *testing.T) {
	t.Parallel()
	w := nodes.Start(t, nodes.Options{})
	ctx, rooms, operator := t.Context(), w.Server.Rooms(), caller.OfOperator(w.Sample.Organization)
	owner, err := rooms.Orgs.Add(ctx, operator, w.Sample.Organization, org.NewMember{Email: "second@example.com", Role: access.Owner})
	if err != nil {
		t.Fatal(err)
	}
	if owner, err = rooms.Orgs.Member(ctx, operator, w.Sample.Organization, owner.ID); err != nil {
		t.Fatal(err)
	}
	_, key, err := rooms.Keys.CreateAdmin(ctx, owner.Caller(caller.Web), w.Sample.Organization, apikey.New{Name: "hers"})
	if err != nil {
		t.Fatal(err)
	}
	me := func(key string) int {
		return send(t, http.MethodGet, w.URL+"/v1/organizations/me", "", "", http.Header{"X-Api-Key": {key}}).status
	}
	if got := me(key.Reveal()); got != 200 {
		t.Fatalf("the key before: %d", got)
	}
	if err := rooms.Orgs.Suspend(ctx, operator, w.Sample.Organization, owner.ID); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the suspended owner's admin key to be refused", func() bool { return me(key.Reveal()) == 401 })
	if got := me(w.Sample.AdminKey.Reveal()); got != 200 {
		t.Errorf("the operator's key: %d", got)
	}
}

// TestNobodyGetsHoldOfAnotherOrganizationsAccount has an owner add somebody who
// has an account elsewhere.
func TestNobodyGetsHoldOfAnotherOrganizationsAccount(t *testing.T) {
	nodes.Each(t, func(t *testing.T, database string) {
		w := nodes.Start(t, nodes.Options{Database: database})
		ctx, rooms := t.Context(), w.Server.Rooms()
		victim, err := rooms.Accounts.Found(ctx, operator(), account.First{Organization: "Victim", Email: "boss@example.org"})
		if err != nil {
			t.Fatal(err)
		}
		members, _, err := rooms.Orgs.Members(ctx, caller.OfOperator(w.Sample.Organization), w.Sample.Organization, org.MemberFilter{})
		if err != nil {
			t.Fatal(err)
		}
		evil := members[1].Caller(caller.Web)
		if _, err := rooms.Orgs.Add(ctx, evil, w.Sample.Organization, org.NewMember{Email: "Boss@example.org", Role: access.User}); !fault.Is(err, fault.Conflict) {
			t.Errorf("adding the owner of another organization: %v", err)
		}
		// The operator may found another organization for the same person …
		again, err := rooms.Accounts.Found(ctx, operator(), account.First{Organization: "Third", Email: "boss@example.org"})
		if err != nil || again.Organization == victim.Organization {
			t.Fatalf("founding another: %v", err)
		}
		// … and then nobody but the operator can make a link into that account.
		for _, who := range []caller.Caller{victim.Caller(caller.Web), again.Caller(caller.Web)} {
			if _, err := rooms.Accounts.MakeSignInLink(ctx, who, victim.Organization, victim.ID, false); err == nil {
				t.Errorf("%s of %s makes a link into an account that is in two organizations", who.Role, who.Organization)
			}
		}
	})
}

// TestHostileText sends what no database should see.
func TestHostileText(t *testing.T) {
	nodes.Each(t, func(t *testing.T, database string) {
		w := nodes.Start(t, nodes.Options{Database: database})
		for _, name := range []string{"%00x", "%ff", "a%E2%80%AEb", strings.Repeat("x", 50_000)} {
			got := send(t, http.MethodPost, w.URL+"/oauth/device_authorization", "application/x-www-form-urlencoded", "client_id=c&device_name="+name, http.Header{"User-Agent": {"c/\xff"}})
			if got.status != 200 && got.status != 400 {
				t.Errorf("device name %.20q: %d", name, got.status)
			}
			if got.status == 200 {
				if status, page := w.SignIn(t, w.Sample.Member).Get(t, "/device?user_code="+got.text("user_code")); status != 200 || len(page) > 60_000 || strings.Contains(page, "\u202e") {
					t.Errorf("its page: %d, %d bytes", status, len(page))
				}
			}
		}
		r, err := http.NewRequest(http.MethodPost, w.URL+"/link/"+w.Sample.Member.Link.Reveal(), nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("User-Agent", "\xff\xfe")
		got, err := http.DefaultTransport.RoundTrip(r)
		if err != nil || got.StatusCode != http.StatusSeeOther {
			t.Errorf("signing in with a strange browser: %v, %v", got, err)
		}
		got.Body.Close()
	})
}
