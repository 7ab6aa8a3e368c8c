package server_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/gatehouse-dev/gatehouse/api"
	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/activity"
	"github.com/gatehouse-dev/gatehouse/internal/apikey"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/nodes"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/upstream"
)

const upstreamsPath = "/v1/organizations/upstreams"

// shownUpstream is an upstream as a program reads it that knows no settings.
type shownUpstream = api.Upstream[map[string]any]

// upstreamsLive takes upstreams through their life. The SDK has no methods for
// them, and calls what it is told to.
func upstreamsLive(t testing.TB, c anthropic.Client, foreign others) {
	ctx, up := t.Context(), upstream.New(t)
	up.RequireKey()
	var made, got shownUpstream
	must(t, c.Post(ctx, upstreamsPath, map[string]any{"name": "Direct", "provider": "anthropic", "base_url": up.URL, "credential": upstream.Key,
		"settings": map[string]any{"weight": 3, "fence": "eu"}}, &made))
	if want := map[string]any{"weight": 3.0, "fence": "eu"}; !strings.HasPrefix(made.ID, "upst_") || made.Name != "Direct" || made.Provider != "anthropic" || made.BaseURL != up.URL ||
		made.Health != nil || made.CreatedAt.IsZero() || !reflect.DeepEqual(made.Settings, want) {
		t.Errorf("connected: %+v", made)
	}
	must(t, c.Get(ctx, upstreamsPath+"/"+made.ID, nil, &got))
	if !reflect.DeepEqual(got, made) {
		t.Errorf("read: %+v, connected: %+v", got, made)
	}
	var list api.CursorPage[shownUpstream]
	must(t, c.Get(ctx, upstreamsPath, nil, &list))
	if len(list.Data) != 2 || list.Data[0].Provider != "simulated" || list.Data[1].ID != made.ID || list.NextPage != nil {
		t.Fatalf("listed: %+v", list)
	}
	for _, one := range []struct {
		body  any
		model string
	}{{nil, "claude-haiku-4-5-20251001"}, {map[string]any{}, "claude-haiku-4-5-20251001"}, {map[string]any{"model": "claude-opus-4-8"}, "claude-opus-4-8"}} {
		var tested api.UpstreamTest
		must(t, c.Post(ctx, upstreamsPath+"/"+made.ID+"/test", one.body, &tested))
		if tested.UpstreamID != made.ID || tested.Model != one.model || tested.Status == nil || *tested.Status != 200 || tested.Problem != nil || tested.Hint != nil ||
			tested.Answer == nil || *tested.Answer != upstream.Text(1) || tested.CredentialExpiresAt != nil {
			t.Errorf("tested with %v: %+v", one.body, tested)
		}
	}
	if asked := up.Requests(); len(asked) != 3 || asked[2].Asked.Model != "claude-opus-4-8" || asked[2].Asked.MaxTokens != 1 {
		t.Errorf("the tests asked for %d answers", len(asked))
	}
	var turned, after api.CursorPage[shownUpstream]
	must(t, c.Post(ctx, upstreamsPath+"/order", map[string]any{"ids": []string{made.ID, list.Data[0].ID}}, &turned))
	must(t, c.Get(ctx, upstreamsPath, nil, &after))
	if !reflect.DeepEqual(turned, after) || len(after.Data) != 2 || after.Data[0].ID != made.ID {
		t.Errorf("ordered: %+v, listed: %+v", turned, after)
	}
	for what, ids := range map[string][]string{"one of two": {made.ID}, "one twice": {made.ID, made.ID}, "a foreign one": {made.ID, foreign.upstream}, "none": {},
		"one more": {after.Data[1].ID, made.ID, foreign.upstream}, "no id": {made.ID, "\x00"}} {
		wantAPIError(t, "an order of "+what, c.Post(ctx, upstreamsPath+"/order", map[string]any{"ids": ids}, nil), 409, "conflict_error")
	}
	var changed, reread shownUpstream
	must(t, c.Post(ctx, upstreamsPath+"/"+made.ID, map[string]any{"settings": map[string]any{"weight": 5}}, &changed))
	must(t, c.Get(ctx, upstreamsPath+"/"+made.ID, nil, &reread))
	if !reflect.DeepEqual(changed, reread) || !reflect.DeepEqual(reread.Settings, map[string]any{"weight": 5.0}) || reread.BaseURL != up.URL || reread.Name != "Direct" {
		t.Errorf("changed: %+v, read: %+v", changed, reread)
	}
	var gone api.UpstreamDeleted
	must(t, c.Delete(ctx, upstreamsPath+"/"+made.ID, nil, &gone))
	if gone.ID != made.ID {
		t.Errorf("removed: %+v", gone)
	}
	for what, id := range map[string]string{"removed": made.ID, "foreign": foreign.upstream, "malformed": "upst_\x00"} {
		one := upstreamsPath + "/" + strings.ReplaceAll(id, "\x00", "%00")
		wantAPIError(t, "reading an upstream that is "+what, c.Get(ctx, one, nil, nil), 404, "not_found_error")
		wantAPIError(t, "changing an upstream that is "+what, c.Post(ctx, one, map[string]any{"settings": map[string]any{}}, nil), 404, "not_found_error")
		wantAPIError(t, "removing an upstream that is "+what, c.Delete(ctx, one, nil, nil), 404, "not_found_error")
		wantAPIError(t, "testing an upstream that is "+what, c.Post(ctx, one+"/test", nil, nil), 404, "not_found_error")
	}
}

// connectOver connects an upstream over the Admin API and returns its id.
func connectOver(t testing.TB, base, key, name, url, credential string) string {
	t.Helper()
	body, err := json.Marshal(map[string]string{"name": name, "provider": "anthropic", "base_url": url, "credential": credential})
	must(t, err)
	got := send(t, "POST", base+upstreamsPath, "application/json", string(body), withKey(key))
	if got.status != 200 {
		t.Fatalf("connecting %s: %d %s", name, got.status, toString(got))
	}
	return got.text("id")
}

// upstreamIDs are the upstreams in their order.
func upstreamIDs(t testing.TB, base, key string) (ids []string) {
	t.Helper()
	got := send(t, "GET", base+upstreamsPath, "", "", withKey(key))
	if got.status != 200 {
		t.Fatalf("listing: %d %s", got.status, toString(got))
	}
	for _, row := range got.body["data"].([]any) {
		ids = append(ids, row.(map[string]any)["id"].(string))
	}
	return ids
}

// TestOrderOfUpstreamsHoldsOnEveryNode changes through one node where requests go,
// and asks both.
func TestOrderOfUpstreamsHoldsOnEveryNode(t *testing.T) {
	nodes.Each(t, func(t *testing.T, database string) {
		was, is := upstream.New(t), upstream.New(t)
		w := nodes.Start(t, nodes.Options{Database: database, UpstreamURL: was.URL})
		second, key := w.Join(t), w.Sample.AdminKey.Reveal()
		served := func(want string) {
			t.Helper()
			w.Forward(t, time.Second)
			for i, base := range []string{w.URL, second.URL} {
				got := send(t, "POST", base+"/v1/messages", "application/json", hello, withKey(w.Sample.APIKey.Reveal()))
				if by := got.header.Get("X-Gatehouse-Upstream"); got.status != 200 || by != want {
					t.Errorf("node %d: %d by %q, want %q", i, got.status, by, want)
				}
			}
		}
		served("Upstream")
		old := upstreamIDs(t, w.URL, key)
		fresh := connectOver(t, w.URL, key, "Fresh", is.URL, nodes.UpstreamKey)
		served("Upstream")
		order, err := json.Marshal(map[string]any{"ids": []string{fresh, old[0]}})
		must(t, err)
		for range 2 { // nothing happens the second time
			if got := send(t, "POST", second.URL+upstreamsPath+"/order", "application/json", string(order), withKey(key)); got.status != 200 {
				t.Fatalf("ordering: %d %s", got.status, toString(got))
			}
		}
		served("Fresh")
		if n := w.Server.Count(t.Context(), w.Sample.Organization, audit.UpstreamMoved); n != 1 {
			t.Errorf("%d changes of the order are recorded", n)
		}
		if got := send(t, "DELETE", w.URL+upstreamsPath+"/"+fresh, "", "", withKey(key)); got.status != 200 {
			t.Fatalf("removing: %d %s", got.status, toString(got))
		}
		served("Upstream")
	})
}

// TestAChangedUpstream moves one to another address, which hears nothing of the key
// that was stored, and gives it another key there.
func TestAChangedUpstream(t *testing.T) {
	nodes.Each(t, func(t *testing.T, database string) {
		was, is := upstream.New(t), upstream.New(t)
		w := nodes.Start(t, nodes.Options{Database: database, UpstreamURL: was.URL})
		second, key := w.Join(t), w.Sample.AdminKey.Reveal()
		one := upstreamIDs(t, w.URL, key)[0]
		change := func(body map[string]any, want int, says string) {
			t.Helper()
			text, err := json.Marshal(body)
			must(t, err)
			if got := send(t, "POST", second.URL+upstreamsPath+"/"+one, "application/json", string(text), withKey(key)); got.status != want || !strings.Contains(toString(got), says) {
				t.Errorf("changing %s: %d %s", text, got.status, toString(got))
			}
		}
		served := func(by *upstream.Server, with string) {
			t.Helper()
			w.Forward(t, time.Second)
			for i, base := range []string{w.URL, second.URL} {
				n := by.Count(upstream.Messages)
				got := send(t, "POST", base+"/v1/messages", "application/json", hello, withKey(w.Sample.APIKey.Reveal()))
				if got.status != 200 || by.Count(upstream.Messages) != n+1 {
					t.Fatalf("node %d: %d, and not from where it should come", i, got.status)
				}
				if asked := by.Requests(); asked[len(asked)-1].Header.Get("X-Api-Key") != with {
					t.Errorf("node %d asks with %q", i, asked[len(asked)-1].Header.Get("X-Api-Key"))
				}
			}
		}
		served(was, nodes.UpstreamKey)
		change(map[string]any{"base_url": is.URL}, 400, "credential: what was stored is not sent elsewhere")
		change(map[string]any{"settings": map[string]any{"way": "issuer"}}, 400, "settings.federation_rule: ")
		change(map[string]any{"settings": map[string]any{"weight": -1}}, 400, "settings.weight: ")
		change(map[string]any{"name": "other"}, 400, "name: unknown field")
		served(was, nodes.UpstreamKey)
		change(map[string]any{}, 200, "")
		change(map[string]any{"credential": "the-next-key"}, 200, "")
		served(was, "the-next-key")
		change(map[string]any{"base_url": is.URL, "credential": "a-key-for-there"}, 200, "")
		served(is, "a-key-for-there")
		if n := w.Server.Count(t.Context(), w.Sample.Organization, audit.UpstreamChanged); n != 2 {
			t.Errorf("%d changes are recorded", n)
		}
	})
}

// TestHealthOfUpstreamsOverTheAdminAPI has the only upstream fail at one of two
// nodes until it is passed over there.
func TestHealthOfUpstreamsOverTheAdminAPI(t *testing.T) {
	t.Parallel()
	up := upstream.New(t)
	w := nodes.Start(t, nodes.Options{UpstreamURL: up.URL})
	second := w.Join(t)
	health := func(base string) (h *api.UpstreamHealth) {
		t.Helper()
		got := send(t, "GET", base+upstreamsPath, "", "", withKey(w.Sample.AdminKey.Reveal()))
		raw, err := json.Marshal(got.body["data"].([]any)[0].(map[string]any)["health"])
		must(t, err)
		must(t, json.Unmarshal(raw, &h))
		return h
	}
	if h := health(w.URL); h != nil {
		t.Errorf("before any request: %+v", h)
	}
	ask(t, w.URL, w.Sample.APIKey.Reveal())
	if h := health(w.URL); h == nil || len(h.RestingModels) != 0 || h.RestingUntil != nil || h.FailedRequests != 0 || h.Problem != nil {
		t.Errorf("after a good answer: %+v", h)
	}
	up.Always(upstream.Plan{Status: http.StatusServiceUnavailable})
	for range 10 {
		ask(t, w.URL, w.Sample.APIKey.Reveal())
	}
	if h := health(w.URL); h == nil || !slices.Equal(h.RestingModels, []string{"claude-sonnet-5"}) || h.RestingUntil == nil || h.FailedRequests == 0 {
		t.Errorf("after ten failures: %+v", h)
	}
	if h := health(second.URL); h != nil {
		t.Errorf("at the node that nobody asked: %+v", h)
	}
}

// TestUpstreamsNeedTheirScope asks with a key that has another scope, and with one
// whose maker has lost the right: both are refused, and nothing changes.
func TestUpstreamsNeedTheirScope(t *testing.T) {
	nodes.Each(t, func(t *testing.T, database string) {
		w := nodes.Start(t, nodes.Options{Database: database})
		ctx, rooms, o := t.Context(), w.Server.Rooms(), w.Sample.Organization
		_, other, err := rooms.Keys.CreateAdmin(ctx, caller.OfOperator(o), o, apikey.New{Name: "people", Scopes: access.AdminKeyRights() &^ caller.RightsOf(caller.ManageUpstreams)})
		must(t, err)
		role, err := rooms.Orgs.CreateRole(ctx, caller.OfOperator(o), o, org.Role{Name: "Keys and upstreams", Rights: caller.RightsOf(caller.ManageAdminKeys, caller.ManageUpstreams)})
		must(t, err)
		group, err := rooms.Orgs.CreateGroup(ctx, caller.OfOperator(o), o, org.Group{Name: "Keepers", Roles: []id.Role{role.ID}})
		must(t, err)
		maker, err := rooms.Orgs.Add(ctx, caller.OfOperator(o), o, org.NewMember{Email: "keeper@example.com", Role: access.Developer})
		must(t, err)
		must(t, rooms.Orgs.AddToGroup(ctx, caller.OfOperator(o), o, group.ID, maker.ID))
		maker, err = rooms.Orgs.Member(ctx, caller.OfOperator(o), o, maker.ID)
		must(t, err)
		_, hers, err := rooms.Keys.CreateAdmin(ctx, maker.Caller(caller.Web), o, apikey.New{Name: "hers", Scopes: caller.RightsOf(caller.ManageUpstreams)})
		must(t, err)
		connectOver(t, w.URL, hers.Reveal(), "Hers", "https://example.com", "a-key")
		role.Rights = caller.RightsOf(caller.ManageAdminKeys)
		_, err = rooms.Orgs.UpdateRole(ctx, caller.OfOperator(o), o, role)
		must(t, err)
		w.Forward(t, time.Second)

		ids := upstreamIDs(t, w.URL, w.Sample.AdminKey.Reveal())
		turned, err := json.Marshal(map[string]any{"ids": []string{ids[1], ids[0]}})
		must(t, err)
		for name, key := range map[string]string{"people": other.Reveal(), "hers": hers.Reveal()} {
			for ask, body := range map[string]string{"GET ": "", "GET /" + ids[0]: "", "POST ": `{"provider":"simulated"}`, "POST /" + ids[0]: `{}`, "DELETE /" + ids[0]: "", "POST /order": string(turned),
				"POST /" + ids[0] + "/test": "", "GET /upst_none": ""} {
				method, path, _ := strings.Cut(ask, " ")
				got := send(t, method, w.URL+upstreamsPath+path, "application/json", body, withKey(key))
				if says := `the admin key "` + name + `" lacks the scope "upstreams:manage"`; got.status != 403 || !strings.HasPrefix(toString(got), says) {
					t.Errorf("%s with the key %q: %d %s", ask, name, got.status, toString(got))
				}
			}
		}
		if now := upstreamIDs(t, w.URL, w.Sample.AdminKey.Reveal()); !slices.Equal(now, ids) {
			t.Errorf("upstreams were %v and are %v", ids, now)
		}
		for what, want := range map[audit.Type]int{audit.UpstreamConnected: 2, audit.UpstreamMoved: 0, audit.UpstreamRemoved: 0} {
			if n := w.Server.Count(ctx, o, what); n != want {
				t.Errorf("%s is recorded %d times, want %d", what, n, want)
			}
		}
	})
}

// TestBodiesOfUpstreams sends bodies that must change nothing: what is wrong is
// named by where it stands.
func TestBodiesOfUpstreams(t *testing.T) {
	t.Parallel()
	w := nodes.Start(t, nodes.Options{})
	key := w.Sample.AdminKey.Reveal()
	one := upstreamIDs(t, w.URL, key)[0]
	for _, bad := range []struct{ path, body, says string }{
		{"", ``, "the body must be"},
		{"", `{}`, "provider: this field is needed"},
		{"", `{"provider":"openai"}`, "provider must be one of anthropic, "},
		{"", `{"provider":"anthropic"}`, "credential: "},
		{"", `{"provider":"anthropic","credential":"with spaces"}`, "credential: "},
		{"", `{"provider":"anthropic","credential":12345678}`, "credential: a number cannot"},
		{"", `{"provider":"anthropic","credential":"k","base_url":"http://example.com"}`, "base_url: "},
		{"", `{"provider":"anthropic","credential":"k","name":"` + strings.Repeat("n", 101) + `"}`, "name: "},
		{"", `{"provider":"simulated","name":"Simulated model"}`, "name: there is an upstream of this name"},
		{"", `{"provider":"anthropic","credential":"k","key":"k"}`, "key: unknown field"},
		{"", `{"provider":"anthropic","credential":"k","settings":{"api_key":"k"}}`, "settings.api_key: unknown field"},
		{"", `{"provider":"anthropic","credential":"k","settings":{"weight":1,"weight":2}}`, "settings.weight: this field is there twice"},
		{"", `{"provider":"anthropic","credential":"k","settings":{"weight":1001}}`, "settings.weight: "},
		{"", `{"provider":"anthropic","credential":"k","settings":{"weight":"1"}}`, "settings.weight: a string cannot"},
		{"", `{"provider":"anthropic","credential":"k","settings":{"way":"magic"}}`, "settings.way: "},
		{"", `{"provider":"bedrock","credential":"k"}`, "settings.region: "},
		{"", `{"provider":"bedrock","credential":"k","settings":{"way":"access_key","region":"eu-central-1"}}`, "settings.access_key_id: "},
		{"", `{"provider":"bedrock","credential":"k","settings":{"region":"eu-central-1","models":{"":"x"}}}`, "settings.models: "},
		{"", `{"provider":"bedrock","settings":{"way":"ambient","region":"eu-central-1"}}`, "settings.way: this server does not lend"},
		{"/order", `{}`, "ids: this field is needed"},
		{"/order", `{"ids":null}`, "ids: null cannot"},
		{"/order", `{"ids":["` + one + `",1]}`, "ids: a number cannot"},
		{"/" + one + "/test", `{"model":7}`, "model: a number cannot"},
		{"/" + one + "/test", `{"models":"x"}`, "models: unknown field"},
		{"/" + one + "/test", `{"model":"` + strings.Repeat("m", 201) + `"}`, "model must be"},
		{"/" + one + "/test", `{"model":"\u0000"}`, "model must be"},
	} {
		got := send(t, "POST", w.URL+upstreamsPath+bad.path, "application/json", bad.body, withKey(key))
		if got.status != 400 || !strings.HasPrefix(toString(got), bad.says) {
			t.Errorf("%s %s: %d %s", bad.path, bad.body, got.status, toString(got))
		}
	}
	if now := upstreamIDs(t, w.URL, key); !slices.Equal(now, []string{one}) {
		t.Errorf("after all that: %v", now)
	}
}

// TestCredentialOfAnUpstreamStaysInside connects an upstream that quotes what it is
// asked with, and looks for that wherever somebody might read it.
func TestCredentialOfAnUpstreamStaysInside(t *testing.T) {
	nodes.Each(t, func(t *testing.T, database string) {
		const credential = "canary-of-an-upstream-4711"
		up := upstream.New(t)
		up.Respond(func(r *upstream.Request) upstream.Plan {
			body, err := json.Marshal(map[string]any{"type": "error", "error": map[string]any{"type": "authentication_error", "message": "no key is " + r.Header.Get("X-Api-Key")}})
			if err != nil {
				t.Error(err)
			}
			return upstream.Plan{Status: http.StatusUnauthorized, Body: string(body)}
		})
		w := nodes.Start(t, nodes.Options{Database: database})
		key, read := w.Sample.AdminKey.Reveal(), map[string]string{}
		say := func(method, path, body string, want int) answer {
			t.Helper()
			got := send(t, method, w.URL+upstreamsPath+path, "application/json", body, withKey(key))
			if got.status != want {
				t.Errorf("%s %s: %d %s", method, path, got.status, toString(got))
			}
			raw, err := json.Marshal(got.body)
			must(t, err)
			read["the answers"] += string(raw) + fmt.Sprint(got.header)
			return got
		}
		for _, wrong := range []string{`"base_url":"ftp://example.com"`, `"settings":{"way":"magic"}`, `"settings":{"secret":"` + credential + `"}`, `"name":7`} {
			say("POST", "", `{"provider":"anthropic","credential":"`+credential+`",`+wrong+`}`, 400)
		}
		say("POST", "", `{"provider":"anthropic","credential":"`+credential+` and more"}`, 400)
		made := say("POST", "", `{"name":"Quoting","provider":"anthropic","base_url":"`+up.URL+`","credential":"`+credential+`"}`, 200).text("id")
		tested := say("POST", "/"+made+"/test", "", 200)
		if tested.text("problem") != "no key is …" || tested.body["status"] != 401.0 {
			t.Errorf("tested: %v", tested.body)
		}
		if asked := up.Requests(); len(asked) != 1 || asked[0].Header.Get("X-Api-Key") != credential {
			t.Errorf("the upstream was asked %d times, and not with its key", len(asked))
		}
		say("POST", "/"+made, `{"credential":"`+credential+` and more"}`, 400)
		say("POST", "/"+made, `{"credential":"`+credential+`2","settings":{"weight":1}}`, 200)
		say("GET", "", "", 200)
		say("GET", "/"+made, "", 200)
		say("DELETE", "/"+made, "", 200)
		err := w.Server.Rooms().Activity.Export(t.Context(), caller.OfOperator(w.Sample.Organization), w.Sample.Organization, activity.Filter{}, "ndjson", func(all []activity.Entry) error {
			raw, err := json.Marshal(all)
			read["the record"] += string(raw)
			return err
		})
		must(t, err)
		w.Stop() // so that everything is on disk
		read["the log"] = w.Logs.String()
		must(t, filepath.WalkDir(w.DataDir(), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			raw, err := os.ReadFile(path)
			read["the file "+d.Name()] = string(raw)
			return err
		}))
		if !strings.Contains(read["the record"], made) || read["the log"] == "" {
			t.Fatalf("there is nothing to look through: %v", slices.Sorted(maps.Keys(read)))
		}
		for where, text := range read {
			if strings.Contains(text, credential) {
				t.Errorf("the credential is in %s", where)
			}
		}
	})
}
