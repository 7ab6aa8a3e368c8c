package server_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/session"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/nodes"
)

const (
	deviceGrant = "urn:ietf:params:oauth:grant-type:device_code"
	hello       = `{"model":"claude-sonnet-5","max_tokens":50,"messages":[{"role":"user","content":"Hello"}]}`
)

// answer is an answer of an endpoint: its status and JSON.
type answer struct {
	status int
	header http.Header
	body   map[string]any
}

func (a answer) text(name string) string { s, _ := a.body[name].(string); return s }

func form(t testing.TB, base, path string, pairs ...string) answer {
	t.Helper()
	values := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	return send(t, http.MethodPost, base+path, "application/x-www-form-urlencoded", values.Encode(), nil)
}

func send(t testing.TB, method, target, contentType, body string, header http.Header) answer {
	t.Helper()
	r, err := http.NewRequest(method, target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range header {
		r.Header[name] = values
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	got, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	raw, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{status: got.StatusCode, header: got.Header}
	_ = json.Unmarshal(raw, &a.body) // some answers are empty
	return a
}

// ask sends a model request with a credential and returns the status.
func ask(t testing.TB, base, credential string) int {
	t.Helper()
	return send(t, http.MethodPost, base+"/v1/messages", "application/json", hello, http.Header{"Authorization": {"Bearer " + credential}}).status
}

// want checks an OAuth answer: the error's code, or "" for tokens.
func want(t testing.TB, what string, a answer, status int, code string) {
	t.Helper()
	if a.status != status || a.text("error") != code {
		t.Errorf("%s: got %d %q (%s), want %d %q", what, a.status, a.text("error"), a.text("error_description"), status, code)
	}
	if a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("%s: cache-control is %q", what, a.header.Get("Cache-Control"))
	}
}

// signInDevice runs the device flow to its end and returns the tokens.
func signInDevice(t testing.TB, w *nodes.World) answer {
	t.Helper()
	begun := form(t, w.URL, "/oauth/device_authorization")
	if status, body := w.SignIn(t, w.Sample.Member).Decide(t, begun.text("user_code"), "approve"); status != http.StatusOK {
		t.Fatalf("approving: %d %s", status, body)
	}
	tokens := form(t, w.URL, "/oauth/token", "grant_type", deviceGrant, "device_code", begun.text("device_code"))
	want(t, "the poll after approval", tokens, http.StatusOK, "")
	return tokens
}

func TestDeviceFlow(t *testing.T) {
	nodes.Each(t, func(t *testing.T, database string) {
		w := nodes.Start(t, nodes.Options{Database: database})
		poll := func(code string) answer {
			return form(t, w.URL, "/oauth/token", "grant_type", deviceGrant, "device_code", code)
		}
		member := w.SignIn(t, w.Sample.Member)

		begun := form(t, w.URL, "/oauth/device_authorization") // with an empty body, as Claude Code does
		code, userCode := begun.text("device_code"), begun.text("user_code")
		if begun.status != 200 || len(userCode) != 9 || begun.text("verification_uri") != w.URL+"/device" || begun.body["interval"] != 5.0 || begun.body["expires_in"] != 600.0 {
			t.Fatalf("device authorization: %+v", begun)
		}
		want(t, "a poll before approval", poll(code), 400, "authorization_pending")
		want(t, "a poll too soon", poll(code), 400, "slow_down")
		w.Forward(t, 11*time.Second)
		want(t, "a poll after the longer wait", poll(code), 400, "authorization_pending")

		if status, page := member.Get(t, "/device?user_code="+userCode); status != 200 || strings.Contains(page, code) {
			t.Errorf("the code page: %d", status)
		}
		want(t, "a poll after the page was only looked at", poll(code), 400, "slow_down")
		if status, _ := member.Decide(t, strings.ToLower(strings.ReplaceAll(userCode, "-", " ")), "approve"); status != 200 {
			t.Errorf("approving with the code typed loosely: %d", status)
		}
		tokens := poll(code)
		want(t, "the poll after approval", tokens, 200, "")
		if got := ask(t, w.URL, tokens.text("access_token")); got != 200 {
			t.Errorf("asking a model with the access token: %d", got)
		}
		want(t, "a second poll after approval", poll(code), 400, "invalid_grant")
		if status, _ := member.Decide(t, userCode, "approve"); status == 200 {
			t.Error("a spent code can be approved again")
		}

		denied := form(t, w.URL, "/oauth/device_authorization", "client_id", "claude-code")
		member.Decide(t, denied.text("user_code"), "deny")
		want(t, "a poll after denial", poll(denied.text("device_code")), 400, "access_denied")

		late := form(t, w.URL, "/oauth/device_authorization")
		w.Forward(t, 601*time.Second)
		want(t, "a poll after ten minutes", poll(late.text("device_code")), 400, "expired_token")
		if status, _ := member.Decide(t, late.text("user_code"), "approve"); status == 200 {
			t.Error("an expired code can be approved")
		}
		want(t, "an unknown device code", poll("sk-gate-dc01-nonsense"), 400, "invalid_grant")
		want(t, "no grant type", form(t, w.URL, "/oauth/token"), 400, "invalid_request")
		want(t, "a strange grant type", form(t, w.URL, "/oauth/token", "grant_type", "password"), 400, "unsupported_grant_type")
	})
}

// challenge is a PKCE verifier with its challenge.
func challenge() (verifier, hashed string) {
	verifier = rand.Text() + rand.Text()
	sum := sha256.Sum256([]byte(verifier))
	return verifier, base64.RawURLEncoding.EncodeToString(sum[:])
}

// approveCode presses approve on the consent page and returns the code.
func approveCode(t testing.TB, w *nodes.World, b *nodes.Browser, hashed string) string {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, w.URL+"/oauth/authorize", strings.NewReader(url.Values{"response_type": {"code"}, "client_id": {"gatehouse"},
		"redirect_uri": {"http://127.0.0.1:4711/callback"}, "code_challenge": {hashed}, "code_challenge_method": {"S256"}, "state": {"s1"}, "decision": {"approve"}}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	got, err := b.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	got.Body.Close()
	to, err := url.Parse(got.Header.Get("Location"))
	if err != nil || got.StatusCode != http.StatusSeeOther || to.Host != "127.0.0.1:4711" || to.Query().Get("state") != "s1" || to.Query().Get("iss") != w.URL {
		t.Fatalf("consent: %d to %q", got.StatusCode, got.Header.Get("Location"))
	}
	return to.Query().Get("code")
}

func TestCodeFlow(t *testing.T) {
	nodes.Each(t, func(t *testing.T, database string) {
		w := nodes.Start(t, nodes.Options{Database: database})
		member := w.SignIn(t, w.Sample.Member)
		redeem := func(code, verifier, redirect string) answer {
			return form(t, w.URL, "/oauth/token", "grant_type", "authorization_code", "client_id", "gatehouse", "code", code, "code_verifier", verifier, "redirect_uri", redirect)
		}
		const redirect = "http://127.0.0.1:4711/callback"
		verifier, hashed := challenge()
		code := approveCode(t, w, member, hashed)
		other, _ := challenge()
		want(t, "another verifier", redeem(code, other, redirect), 400, "invalid_grant")
		want(t, "another redirect", redeem(code, verifier, "http://127.0.0.1:4712/callback"), 400, "invalid_grant")
		tokens := redeem(code, verifier, redirect)
		want(t, "the code", tokens, 200, "")
		if got := ask(t, w.URL, tokens.text("access_token")); got != 200 {
			t.Errorf("asking a model: %d", got)
		}
		want(t, "the code again", redeem(code, verifier, redirect), 400, "invalid_grant")
		want(t, "a refresh after the code was replayed", form(t, w.URL, "/oauth/token", "grant_type", "refresh_token", "refresh_token", tokens.text("refresh_token")), 401, "invalid_grant")
		waitFor(t, "the replayed code's session to end", func() bool { return ask(t, w.URL, tokens.text("access_token")) == 401 })

		verifier, hashed = challenge()
		code = approveCode(t, w, member, hashed)
		w.Forward(t, 61*time.Second)
		want(t, "a code after a minute", redeem(code, verifier, redirect), 400, "invalid_grant")
	})
}

// waitFor asks again and again for a second, which is how long a change may take
// to be known everywhere.
func waitFor(t testing.TB, what string, ok func() bool) {
	t.Helper()
	waitWithin(t, patience, what, ok)
}

// patience is how long is waited for what the product promises within a second: the
// race detector makes it several times as slow, and other tests run beside it.
const patience = 5 * time.Second

// waitWithin is waitFor for what the product does not promise within a second.
func waitWithin(t testing.TB, long time.Duration, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), long)
	defer cancel()
	again := time.NewTicker(5 * time.Millisecond) // who asks without a pause takes the time from what is waited for
	defer again.Stop()
	for !ok() {
		select {
		case <-ctx.Done():
			t.Errorf("waited %s for %s", long, what)
			return
		case <-again.C:
		}
	}
}

func TestRefresh(t *testing.T) {
	nodes.Each(t, func(t *testing.T, database string) {
		w := nodes.Start(t, nodes.Options{Database: database})
		refresh := func(token string) answer {
			return form(t, w.URL, "/oauth/token", "grant_type", "refresh_token", "refresh_token", token)
		}
		viaJSON := func(token string) answer {
			body, _ := json.Marshal(map[string]string{"grant_type": "refresh_token", "refresh_token": token, "client_id": "gatehouse"})
			return send(t, http.MethodPost, w.URL+"/v1/oauth/token", "application/json", string(body), nil)
		}
		first := signInDevice(t, w).text("refresh_token")
		a, b := refresh(first), viaJSON(first)
		want(t, "a refresh", a, 200, "")
		want(t, "the same refresh again", b, 200, "")
		if a.text("refresh_token") != b.text("refresh_token") || a.text("refresh_token") == first {
			t.Error("the same token gives two successors, or none")
		}
		w.Forward(t, 59*time.Second)
		want(t, "the same refresh within the grace window", refresh(first), 200, "")
		w.Forward(t, 2*time.Second)
		want(t, "the same refresh after the grace window", refresh(first), 401, "invalid_grant")
		want(t, "the successor, once the family is revoked", refresh(a.text("refresh_token")), 401, "invalid_grant")
		waitFor(t, "the family's access token to end", func() bool { return ask(t, w.URL, a.text("access_token")) == 401 })

		if status, page := w.SignIn(t, w.Sample.Member).Get(t, "/sessions"); status != 200 || !strings.Contains(page, "was used a second time") {
			t.Errorf("the member is not told of it: %d", status)
		}
		if _, page := w.SignIn(t, w.Sample.Owner).Get(t, "/sessions"); strings.Contains(page, "was used a second time") {
			t.Error("somebody else is told of it")
		}

		first = signInDevice(t, w).text("refresh_token")
		second := refresh(first).text("refresh_token")
		third := refresh(second).text("refresh_token")
		want(t, "an older ancestor, even at once", refresh(first), 401, "invalid_grant")
		want(t, "the newest, once an ancestor was replayed", refresh(third), 401, "invalid_grant")

		want(t, "a malformed token", refresh("sk-gate-rt01-x"), 401, "invalid_grant")
		want(t, "a foreign token", refresh("sk-ant-ort01-x"), 401, "invalid_grant")
		old := signInDevice(t, w).text("refresh_token")
		w.Forward(t, 31*24*time.Hour)
		want(t, "a token unused for a month", refresh(old), 401, "invalid_grant")
	})
}

// TestRefreshRace has many processes meet the same expired token at once.
func TestRefreshRace(t *testing.T) {
	nodes.Each(t, func(t *testing.T, database string) {
		w := nodes.Start(t, nodes.Options{Database: database})
		second := w.Join(t)
		token := signInDevice(t, w).text("refresh_token")
		for range 3 {
			var mu sync.Mutex
			successors := map[string]int{}
			var wg sync.WaitGroup
			for i := range 100 {
				base := []string{w.URL, second.URL}[i%2]
				wg.Go(func() {
					a := form(t, base, "/oauth/token", "grant_type", "refresh_token", "refresh_token", token)
					mu.Lock()
					defer mu.Unlock()
					successors[fmt.Sprint(a.status, a.text("refresh_token"))]++
				})
			}
			wg.Wait()
			if len(successors) != 1 {
				t.Fatalf("100 refreshes at once had %d outcomes", len(successors))
			}
			for one := range successors {
				token = strings.TrimPrefix(one, "200")
			}
		}
	})
}

func TestTokenEndpointsRefuseWhatIsMalformed(t *testing.T) {
	t.Parallel()
	w := nodes.Start(t, nodes.Options{})
	const asForm, asJSON = "application/x-www-form-urlencoded", "application/json"
	for name, c := range map[string]struct {
		path, contentType, body string
		status                  int
		code                    string
	}{
		"a parameter twice":        {"/oauth/token", asForm, "grant_type=refresh_token&grant_type=refresh_token", 400, "invalid_request"},
		"JSON at the form":         {"/oauth/token", asJSON, `{"grant_type":"refresh_token"}`, 400, "invalid_request"},
		"a broken escape":          {"/oauth/token", asForm, "grant_type=%zz", 400, "invalid_request"},
		"not UTF-8":                {"/oauth/token", asForm, "grant_type=%ff", 400, "invalid_request"},
		"too large":                {"/oauth/token", asForm, "a=" + strings.Repeat("x", 70_000), 413, "invalid_request"},
		"a form at the JSON":       {"/v1/oauth/token", asForm, "grant_type=refresh_token", 400, "invalid_request"},
		"a member twice":           {"/v1/oauth/token", asJSON, `{"grant_type":"refresh_token","grant_type":"x"}`, 400, "invalid_request"},
		"truncated":                {"/v1/oauth/token", asJSON, `{"grant_type":"refresh_token"`, 400, "invalid_request"},
		"an array":                 {"/v1/oauth/token", asJSON, `[]`, 400, "invalid_request"},
		"a tail":                   {"/v1/oauth/token", asJSON, `{"grant_type":"refresh_token"} x`, 400, "invalid_request"},
		"device code at the JSON":  {"/v1/oauth/token", asJSON, `{"grant_type":"` + deviceGrant + `"}`, 400, "unsupported_grant_type"},
		"a number for a token":     {"/v1/oauth/token", asJSON, `{"grant_type":"refresh_token","refresh_token":7}`, 401, "invalid_grant"},
		"revocation of nothing":    {"/oauth/revoke", asForm, "", 400, "invalid_request"},
		"device name out of bound": {"/oauth/device_authorization", asForm, "device_name=" + strings.Repeat("x", 70_000), 413, "invalid_request"},
	} {
		got := send(t, http.MethodPost, w.URL+c.path, c.contentType, c.body, nil)
		want(t, name, got, c.status, c.code)
	}
}

func TestRevocationAndIntrospection(t *testing.T) {
	t.Parallel()
	w := nodes.Start(t, nodes.Options{})
	tokens := signInDevice(t, w)
	access := tokens.text("access_token")
	introspect := func(token, credential string) answer {
		return send(t, http.MethodPost, w.URL+"/oauth/introspect", "application/x-www-form-urlencoded", url.Values{"token": {token}}.Encode(), http.Header{"Authorization": {"Bearer " + credential}})
	}
	if a := introspect(access, w.Sample.AdminKey.Reveal()); a.body["active"] != true || a.text("username") != w.Sample.Member.Email || a.text("iss") != w.URL {
		t.Errorf("introspection by the admin key: %+v", a.body)
	}
	if a := introspect(access, access); a.body["active"] != true {
		t.Errorf("introspection by the token's own member: %+v", a.body)
	}
	if a := introspect(access+"x", w.Sample.AdminKey.Reveal()); a.body["active"] != false || len(a.body) != 1 {
		t.Errorf("introspection of a forged token says more than that: %+v", a.body)
	}
	if a := introspect(access, "nobody"); a.status != 401 {
		t.Errorf("introspection by a stranger: %d", a.status)
	}
	if a := form(t, w.URL, "/oauth/revoke", "token", "nonsense"); a.status != 200 {
		t.Errorf("revoking nonsense: %d", a.status)
	}
	if a := form(t, w.URL, "/oauth/revoke", "token", tokens.text("refresh_token")); a.status != 200 {
		t.Errorf("revoking: %d", a.status)
	}
	waitFor(t, "the revoked token to be refused", func() bool { return ask(t, w.URL, access) == 401 })
	if a := introspect(access, w.Sample.AdminKey.Reveal()); a.body["active"] != false {
		t.Errorf("introspection of a revoked token: %+v", a.body)
	}
}

// TestForgedTokens takes a good token apart and puts bad ones together.
func TestForgedTokens(t *testing.T) {
	t.Parallel()
	w := nodes.Start(t, nodes.Options{})
	good := signInDevice(t, w).text("access_token")
	parts := strings.Split(good, ".")
	header, claims := decode(t, parts[0]), decode(t, parts[1])
	_, stranger, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if got := ask(t, w.URL, good); got != 200 {
		t.Fatalf("the good token: %d", got)
	}
	with := func(of map[string]any, name string, value any) map[string]any {
		c := map[string]any{}
		for k, v := range of {
			c[k] = v
		}
		c[name] = value
		return c
	}
	signed := func(h, c map[string]any) string {
		head := encode(t, h) + "." + encode(t, c)
		return head + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(stranger, []byte(head)))
	}
	for name, token := range map[string]string{
		"alg none":                 encode(t, with(header, "alg", "none")) + "." + parts[1] + ".",
		"alg none, old signature":  encode(t, with(header, "alg", "none")) + "." + parts[1] + "." + parts[2],
		"alg HS256":                encode(t, with(header, "alg", "HS256")) + "." + parts[1] + "." + parts[2],
		"another key, our kid":     signed(header, claims),
		"another key, its own kid": signed(with(header, "kid", "stranger"), claims),
		"another key, no kid":      signed(map[string]any{"alg": "EdDSA"}, claims),
		"a key of its own":         signed(with(header, "jwk", map[string]any{"kty": "OKP", "crv": "Ed25519", "x": base64.RawURLEncoding.EncodeToString(stranger.Public().(ed25519.PublicKey))}), claims),
		"longer life":              parts[0] + "." + encode(t, with(claims, "exp", claims["exp"].(float64)+3600)) + "." + parts[2],
		"another organization":     parts[0] + "." + encode(t, with(claims, "org", "other")) + "." + parts[2],
		"no signature":             parts[0] + "." + parts[1] + ".",
		"cut off":                  good[:len(good)-5],
		"one bit":                  good[:len(good)-10] + string(good[len(good)-10]^1) + good[len(good)-9:],
		"twice":                    good + good,
		"with a tail":              good + ".x",
		"the refresh token's kind": "sk-gate-rt01-0000000000000000000000000000000000000000000000000",
		"an Anthropic key":         "sk-ant-api03-AAAAAAAAAAAAAAAAAAAAAAAAAA",
		"an Anthropic login":       "sk-ant-oat01-AAAAAAAAAAAAAAAAAAAAAAAAAA",
		"SQL":                      "' OR 1=1 --",
		"nothing":                  "",
	} {
		if got := ask(t, w.URL, token); got != 401 {
			t.Errorf("%s: %d", name, got)
		}
	}
	// What the server itself signs for somebody else, or for another use, opens nothing.
	for name, value := range map[string]any{"aud": "https://sts.example.com", "scope": "other", "sid": "", "exp": 1.0, "iat": claims["exp"], "org": "other"} {
		token, err := w.Server.Sign(with(claims, name, value))
		if err != nil {
			t.Fatal(err)
		}
		if got := ask(t, w.URL, token); got != 401 {
			t.Errorf("a token of ours with another %s: %d", name, got)
		}
	}
	w.Forward(t, time.Hour+time.Second)
	if got := ask(t, w.URL, good); got != 401 {
		t.Errorf("the good token after its hour: %d", got)
	}
	if logs := w.Logs.String(); strings.Contains(logs, "sk-ant-") || strings.Contains(logs, parts[2]) {
		t.Error("a presented credential is in the log")
	}
}

func decode(t testing.TB, part string) (m map[string]any) {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.NewDecoder(bytes.NewReader(raw)).Decode(&m); err != nil {
		t.Fatal(err)
	}
	return m
}

func encode(t testing.TB, m map[string]any) string {
	t.Helper()
	raw, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

func TestSigningKeyRotationDisturbsNobody(t *testing.T) {
	t.Parallel()
	w := nodes.Start(t, nodes.Options{})
	old := signInDevice(t, w).text("access_token")
	if err := w.Server.RotateSigningKey(t.Context(), operator()); err != nil {
		t.Fatal(err)
	}
	kids := func() int {
		return len(send(t, http.MethodGet, w.URL+"/.well-known/jwks.json", "", "", nil).body["keys"].([]any))
	}
	if n := kids(); n != 2 {
		t.Errorf("%d keys are published right after the rotation", n)
	}
	w.Forward(t, 121*time.Second)
	fresh := signInDevice(t, w).text("access_token")
	if decode(t, strings.Split(old, ".")[0])["kid"] == decode(t, strings.Split(fresh, ".")[0])["kid"] {
		t.Error("the new key does not sign")
	}
	for name, token := range map[string]string{"old": old, "new": fresh} {
		if got := ask(t, w.URL, token); got != 200 {
			t.Errorf("the %s key's token: %d", name, got)
		}
	}
	w.Forward(t, 2*time.Hour)
	if n := kids(); n != 1 {
		t.Errorf("%d keys are published two hours after the rotation", n)
	}
}

// TestClientVersionIsLearnt follows Claude Code: its sign-in says nothing of it,
// the first fetch of settings does.
func TestClientVersionIsLearnt(t *testing.T) {
	t.Parallel()
	w := nodes.Start(t, nodes.Options{})
	token := signInDevice(t, w).text("access_token")
	got := send(t, http.MethodGet, w.URL+"/managed/settings", "", "", http.Header{"Authorization": {"Bearer " + token}, "User-Agent": {"claude-code/2.1.197 (x)"}})
	if got.status != http.StatusNotFound {
		t.Errorf("managed settings: %d", got.status)
	}
	who := caller.OfOperator(w.Sample.Organization)
	all, _, err := w.Server.Rooms().Sessions.List(t.Context(), who, w.Sample.Organization, session.Filter{})
	if err != nil || len(all) != 1 || all[0].Device.ClientVersion != "2.1.197" || all[0].Device.ClientID != "claude-code" {
		t.Errorf("sessions: %+v, %v", all, err)
	}
}
