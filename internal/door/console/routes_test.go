package console_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/activity"
	"github.com/gatehouse-dev/gatehouse/internal/apikey"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/cloudaccess"
	"github.com/gatehouse-dev/gatehouse/internal/door/console"
	gatewaydoor "github.com/gatehouse-dev/gatehouse/internal/door/gateway"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/invite"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/serviceaccount"
	"github.com/gatehouse-dev/gatehouse/internal/upstream"
	"github.com/gatehouse-dev/gatehouse/internal/workspace"
)

// matrix says, for every route with a method, what a request without fields is
// answered with: signed out, as a developer, as an owner. The things named in
// the path are an owner's, or another member.
var matrix = map[string]string{
	"GET /assets/{name}":                               "404 404 404",
	"GET /setup/{token}":                               "404 404 404",
	"POST /setup/{token}":                              "404 404 404",
	"GET /link/{token}":                                "404 404 404",
	"POST /link/{token}":                               "404 404 404",
	"GET /sign-in":                                     "200 303 303",
	"POST /sign-in":                                    "400 400 400",
	"POST /sign-out":                                   "303 303 303",
	"POST /theme":                                      "303 303 303",
	"GET /organization":                                "303 200 200",
	"POST /organization":                               "303 404 404",
	"GET /device":                                      "303 200 200",
	"POST /device":                                     "303 404 404",
	"GET /oauth/authorize":                             "400 400 400",
	"POST /oauth/authorize":                            "400 400 400",
	"GET /{$}":                                         "303 200 200",
	"GET /members":                                     "303 403 200",
	"POST /members":                                    "303 403 303",
	"GET /members/new":                                 "303 403 303",
	"GET /members/{id}":                                "303 403 200",
	"POST /members/{id}/link":                          "303 403 200",
	"GET /members/{id}/role":                           "303 403 200",
	"POST /members/{id}/role":                          "303 403 400",
	"POST /members/{id}/groups":                        "303 403 404",
	"GET /members/{id}/{act}":                          "303 403 200",
	"POST /members/{id}/{act}":                         "303 403 303",
	"GET /roles":                                       "303 200 200",
	"POST /roles":                                      "303 403 400",
	"GET /roles/new":                                   "303 403 200",
	"GET /roles/{id}":                                  "303 403 200",
	"POST /roles/{id}":                                 "303 403 400",
	"GET /roles/{id}/delete":                           "303 403 200",
	"POST /roles/{id}/delete":                          "303 403 303",
	"GET /groups":                                      "303 403 200",
	"POST /groups":                                     "303 403 400",
	"GET /groups/new":                                  "303 403 200",
	"GET /groups/{id}":                                 "303 403 200",
	"POST /groups/{id}":                                "303 403 400",
	"GET /groups/{id}/edit":                            "303 403 200",
	"POST /groups/{id}/members":                        "303 403 404",
	"GET /groups/{id}/delete":                          "303 403 200",
	"POST /groups/{id}/delete":                         "303 403 303",
	"GET /settings":                                    "303 403 200",
	"POST /settings":                                   "303 403 400",
	"GET /settings/plan":                               "303 403 200",
	"POST /settings/plan":                              "303 403 400",
	"POST /settings/export":                            "303 403 200",
	"GET /settings/delete":                             "303 403 200",
	"POST /settings/delete":                            "303 403 400",
	"GET /ownership":                                   "303 404 404",
	"POST /ownership":                                  "303 400 400",
	"GET /leave":                                       "303 200 200",
	"POST /leave":                                      "303 303 409",
	"GET /organizations/new":                           "303 200 200",
	"POST /organizations/new":                          "303 400 400",
	"GET /keys":                                        "303 200 200",
	"POST /keys":                                       "303 400 400",
	"GET /keys/new":                                    "303 200 200",
	"GET /keys/{id}/{act}":                             "303 403 200",
	"POST /keys/{id}/{act}":                            "303 403 303",
	"GET /sessions":                                    "303 200 200",
	"GET /sessions/{id}/end":                           "303 403 200",
	"POST /sessions/{id}/end":                          "303 403 303",
	"GET /upstreams":                                   "303 403 200",
	"POST /upstreams":                                  "303 403 400",
	"GET /upstreams/new":                               "303 403 200",
	"GET /connect/{provider}":                          "303 403 200",
	"POST /connect/{provider}":                         "303 403 400",
	"GET /upstreams/{id}/edit":                         "303 403 200",
	"POST /upstreams/{id}/edit":                        "303 403 409", // of no version
	"POST /upstreams/{id}/move":                        "303 403 303",
	"POST /upstreams/{id}/test":                        "303 403 501", // nobody asks upstreams in this world
	"GET /upstreams/{id}/remove":                       "303 403 200",
	"POST /upstreams/{id}/remove":                      "303 403 303",
	"GET /clouds":                                      "303 403 200",
	"GET /clouds/{cloud}":                              "303 403 200",
	"POST /clouds/{cloud}":                             "303 403 400",
	"GET /clouds/{cloud}/remove":                       "303 403 200",
	"POST /clouds/{cloud}/remove":                      "303 403 303",
	"GET /models":                                      "303 403 200",
	"POST /models":                                     "303 403 303",
	"GET /usage":                                       "303 200 200",
	"GET /keys/{id}":                                   "303 403 200",
	"POST /keys/{id}":                                  "303 403 400",
	"GET /keys/{id}/rotate":                            "303 403 200",
	"POST /keys/{id}/rotate":                           "303 403 400",
	"GET /sessions/{id}":                               "303 403 200",
	"GET /members/{id}/sessions/end":                   "303 403 200",
	"POST /members/{id}/sessions/end":                  "303 403 303",
	"GET /workspaces":                                  "303 200 200",
	"POST /workspaces":                                 "303 403 400",
	"GET /workspaces/new":                              "303 403 200",
	"GET /workspaces/{id}":                             "303 404 200",
	"GET /workspaces/{id}/settings":                    "303 404 200",
	"POST /workspaces/{id}/settings":                   "303 404 400",
	"GET /workspaces/{id}/archive":                     "303 403 200",
	"POST /workspaces/{id}/archive":                    "303 403 303",
	"GET /workspaces/{id}/members/new":                 "303 404 200",
	"POST /workspaces/{id}/members":                    "303 404 400",
	"GET /workspaces/{id}/members/{principal}":         "303 404 200",
	"POST /workspaces/{id}/members/{principal}":        "303 404 400",
	"GET /workspaces/{id}/members/{principal}/remove":  "303 404 200",
	"POST /workspaces/{id}/members/{principal}/remove": "303 404 303",
	"GET /invitations":                                 "303 403 200",
	"GET /invitations/new":                             "303 403 200",
	"GET /invitations/sample.csv":                      "303 403 200",
	"POST /invitations/batches":                        "303 403 400",
	"GET /invitations/batches/{id}":                    "303 403 200",
	"POST /invitations/batches/{id}/send":              "303 403 303",
	"POST /invitations/batches/{id}/retry":             "303 403 303",
	"POST /invitations/batches/{id}/mend":              "303 403 303",
	"POST /invitations/proposals/{id}":                 "303 403 404",
	"GET /invitations/{id}/{act}":                      "303 403 200",
	"POST /invitations/{id}/{act}":                     "303 403 303",
	"GET /service-accounts":                            "303 403 200",
	"POST /service-accounts":                           "303 403 400",
	"GET /service-accounts/new":                        "303 403 200",
	"GET /service-accounts/{id}":                       "303 403 200",
	"POST /service-accounts/{id}":                      "303 403 400",
	"GET /service-accounts/{id}/archive":               "303 403 200",
	"POST /service-accounts/{id}/archive":              "303 403 303",
	"GET /activity":                                    "303 200 200",
	"GET /mail":                                        "303 403 200",
	"GET /outbox":                                      "303 403 200",
	"GET /outbox/{id}":                                 "303 403 200",
	"POST /outbox/{id}/retry":                          "303 403 409",
	"GET /account":                                     "303 200 200",
	"POST /account/password":                           "303 400 400",
	"GET /start":                                       "303 200 200",
	"GET /start/state":                                 "303 200 200",
	"GET /people/setup":                                "303 403 200",
	"GET /people/setup/nudge":                          "303 403 200",
	"POST /people/setup/nudge":                         "303 403 303",
	"POST /people/setup/{id}/nudge":                    "303 403 303",
	"POST /sign-in/passkey":                            "501 501 501",
	"POST /sign-in/passkey/answer":                     "501 501 501",
	"GET /sign-in/step":                                "303 303 303",
	"POST /sign-in/step":                               "401 401 401",
	"POST /sign-in/step/passkey":                       "401 401 401",
	"GET /forgot":                                      "200 200 200",
	"POST /forgot":                                     "400 400 400",
	"GET /reset/{token}":                               "404 404 404",
	"POST /reset/{token}":                              "404 404 404",
	"GET /sign-up":                                     "403 303 303",
	"POST /sign-up":                                    "403 403 403",
	"GET /sign-up/{token}":                             "403 403 403",
	"POST /sign-up/{token}":                            "403 403 403",
	"GET /undo/{token}":                                "404 404 404",
	"POST /undo/{token}":                               "404 404 404",
	"POST /account/name":                               "303 303 303",
	"POST /account/email":                              "303 400 400",
	"POST /account/email/withdraw":                     "303 303 303",
	"GET /account/email/{token}":                       "303 404 404",
	"POST /account/email/{token}":                      "303 404 404",
	"GET /account/confirm":                             "303 200 200",
	"POST /account/confirm":                            "303 409 400",
	"POST /account/confirm/passkey":                    "303 501 501",
	"GET /account/history":                             "303 200 200",
	"GET /account/security":                            "303 200 200",
	"GET /account/password/remove":                     "303 200 200",
	"POST /account/password/remove":                    "303 409 409",
	"GET /account/passkeys/new":                        "303 501 501",
	"POST /account/passkeys":                           "303 501 501",
	"GET /account/passkeys/{id}/remove":                "303 404 404",
	"POST /account/passkeys/{id}/remove":               "303 404 404",
	"GET /account/app":                                 "303 200 200",
	"POST /account/app":                                "303 400 400",
	"GET /account/app/remove":                          "303 200 200",
	"POST /account/app/remove":                         "303 404 404",
	"GET /account/codes":                               "303 200 200",
	"POST /account/codes":                              "303 409 409",
	"GET /account/browsers":                            "303 200 200",
	"POST /account/browsers/{id}/end":                  "303 404 404",
	"GET /account/sign-out-everywhere":                 "303 200 200",
	"POST /account/sign-out-everywhere":                "303 303 303",
	"GET /activity/{id}":                               "303 404 200",
	"POST /activity/export":                            "303 403 200",
	"GET /invite/{token}":                              "404 404 404",
	"POST /invite/{token}":                             "404 404 404",
	"GET /join/{token}":                                "404 404 404",
	"POST /join/{token}":                               "404 404 404",
	"GET /invitations/links":                           "303 403 200",
	"POST /invitations/links":                          "303 403 403",
	"GET /invitations/links/new":                       "303 403 303",
	"GET /invitations/links/{id}/{act}":                "303 403 404",
	"POST /invitations/links/{id}/{act}":               "303 403 404",
	"GET /proposals":                                   "303 200 200",
	"POST /proposals":                                  "303 403 403",
}

// example is a path of a pattern, with things that are there.
func (w *world) example(t *testing.T, pattern string) string {
	t.Helper()
	ctx, owner := context.Background(), w.owner.Caller(caller.Web)
	_, path, _ := strings.Cut(pattern, " ")
	var thing string
	var err error
	switch {
	case strings.HasPrefix(path, "/members/{id}"), strings.HasPrefix(path, "/people/setup/{id}"):
		thing = string(w.add(fmt.Sprintf("%s@acme.example", strings.ToLower(string(id.NewRequest())[4:])), "", access.User).ID)
	case strings.HasPrefix(path, "/roles/{id}"):
		role, failed := w.orgs.CreateRole(ctx, owner, w.owner.Organization, org.Role{Name: string(id.NewRequest()), Rights: caller.RightsOf(caller.ReadActivity)})
		thing, err = string(role.ID), failed
	case strings.HasPrefix(path, "/groups/{id}"):
		group, failed := w.orgs.CreateGroup(ctx, owner, w.owner.Organization, org.Group{Name: string(id.NewRequest())})
		thing, err = string(group.ID), failed
	case strings.HasPrefix(path, "/keys/{id}"):
		key, _, failed := w.keys.Create(ctx, owner, owner.Organization, apikey.New{Name: "k"})
		thing, err = string(key.ID), failed
	case strings.HasPrefix(path, "/sessions/{id}"):
		tokens, failed := w.sessions.Start(ctx, owner, laptop)
		thing, err = string(tokens.Session.ID), failed
	case strings.HasPrefix(path, "/outbox/{id}"):
		l := w.invitation("ada@example.com")
		thing = string(l.ID)
	case strings.HasPrefix(path, "/invitations/batches/{id}"):
		b, failed := w.invites.Check(ctx, owner, owner.Organization, invite.List{Text: strings.ToLower(string(id.NewRequest())[4:]) + "@acme.example", Place: invite.Place{Role: access.User}})
		thing, err = string(b.ID), failed
	case strings.HasPrefix(path, "/invitations/proposals/{id}"), strings.HasPrefix(path, "/invitations/links/{id}"):
		thing = "x"
	case strings.HasPrefix(path, "/invitations/{id}"):
		i, failed := w.invites.Create(ctx, owner, owner.Organization, invite.New{Email: strings.ToLower(string(id.NewRequest())[4:]) + "@acme.example", Place: invite.Place{Role: access.User}})
		thing, err = string(i.ID), failed
	case strings.HasPrefix(path, "/account/"):
		thing = "x" // nobody's
	case path == "/activity/{id}":
		found, failed := w.cfg.Record.List(ctx, owner, w.owner.Organization, activity.Filter{Target: string(w.owner.Organization)}, activity.Page{Limit: 1})
		thing, err = string(found.Entries[0].ID), failed
	case strings.HasPrefix(path, "/workspaces/{id}"):
		made, failed := w.workspaces.Create(ctx, owner, w.owner.Organization, workspace.New{Name: string(id.NewRequest())})
		if failed == nil {
			_, failed = w.workspaces.Add(ctx, owner, w.owner.Organization, made.ID, string(w.owner.ID), access.WorkspaceDeveloper)
		}
		thing, err = string(made.ID), failed
	case strings.HasPrefix(path, "/service-accounts/{id}"):
		made, failed := w.services.Create(ctx, owner, w.owner.Organization, serviceaccount.New{Name: strings.ToLower(string(id.NewRequest())[4:])})
		thing, err = string(made.ID), failed
	case path == "/clouds/{cloud}/remove":
		_, err = w.clouds.Set(ctx, owner, w.owner.Organization, cloudaccess.Access{Cloud: cloudaccess.AWS, Settings: cloudaccess.Settings{RoleARN: "arn:aws:iam::123456789012:role/gatehouse", Region: "eu-central-1"}})
	case strings.HasPrefix(path, "/upstreams/{id}"):
		u, failed := w.upstreams.Connect(ctx, owner, w.owner.Organization, upstream.New{Provider: upstream.Anthropic, Credential: secret.New("a-key")})
		thing, err = string(u.ID), failed
	}
	if err != nil {
		t.Fatal(err)
	}
	act := acts[strings.Split(path, "/")[1]]
	if strings.HasPrefix(path, "/invitations/links/") {
		act = "disable"
	}
	return strings.NewReplacer("{$}", "", "{id}", thing, "{act}", act, "{provider}", "bedrock", "{cloud}", "aws", "{token}", "x", "{name}", "x", "{principal}", string(w.owner.ID)).Replace(path)
}

// acts are what is done to the things of a path, by its first part.
var acts = map[string]string{"members": "suspend", "keys": "archive", "invitations": "withdraw"}

func TestEveryRouteForEveryVisitor(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	seen := map[string]bool{}
	for _, route := range console.Routes() {
		method, _, ok := strings.Cut(route.Pattern, " ")
		if !ok {
			continue
		}
		seen[route.Pattern] = true
		want := strings.Fields(matrix[route.Pattern])
		if len(want) != 3 {
			t.Errorf("%s stands in no line of the table", route.Pattern)
			continue
		}
		path := w.example(t, route.Pattern)
		developer := w.member
		if path == "/leave" { // who does is gone
			developer = w.add(strings.ToLower(method)+"-leave@acme.example", "", access.Developer)
		}
		for i, v := range []*visitor{w.visitor(), w.as(developer), w.as(w.owner)} {
			got := v.do(method, path, nil)
			if who := []string{"signed out", "developer", "owner"}[i]; fmt.Sprint(got.status) != want[i] {
				t.Errorf("%s, %s: %d, not %s", route.Pattern, who, got.status, want[i])
			}
			if i == 0 && route.Credential && got.status < 300 {
				t.Errorf("%s needs a sign-in and answers %d without", route.Pattern, got.status)
			}
			if got.status == http.StatusSeeOther && !strings.HasPrefix(got.location, "/") {
				t.Errorf("%s leads to %q", route.Pattern, got.location)
			}
			for name, value := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY", "Cross-Origin-Opener-Policy": "same-origin", "Cache-Control": "no-store"} {
				if got.header.Get(name) != value {
					t.Errorf("%s: %s is %q", route.Pattern, name, got.header.Get(name))
				}
			}
			if strings.HasPrefix(got.header.Get("Content-Type"), "text/html") && !strings.HasPrefix(got.header.Get("Content-Security-Policy"), "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'") {
				t.Errorf("%s: its policy is %q", route.Pattern, got.header.Get("Content-Security-Policy"))
			}
		}
	}
	for pattern := range matrix {
		if !seen[pattern] {
			t.Errorf("%s is in the table and is no route", pattern)
		}
	}
}

func TestTheListIsTheMux(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	w := newWorld(t)
	console.New(w.cfg).Mount(mux)
	for _, route := range console.Routes() {
		method, path, ok := strings.Cut(route.Pattern, " ")
		if !ok {
			method, path = "BREW", strings.TrimSuffix(route.Pattern, "/")
			if path == "" {
				path = "/nothing-else-is-here"
			}
		}
		req, err := http.NewRequest(method, "http://gate.example"+strings.NewReplacer("{$}", "", "{id}", "x", "{act}", "x", "{provider}", "bedrock", "{token}", "x", "{name}", "x").Replace(path), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, got := mux.Handler(req); got != route.Pattern {
			t.Errorf("%s is served by %q", route.Pattern, got)
		}
	}
	// The gateway's door lives in the same mux: a conflict of patterns panics.
	for _, route := range gatewaydoor.Routes() {
		mux.HandleFunc(route.Pattern, func(http.ResponseWriter, *http.Request) {})
	}
}

func TestWrongMethodsAndPaths(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	v := w.as(w.owner)
	for path, allow := range map[string]string{"/keys": "GET, HEAD, POST", "/theme": "POST", "/": "GET, HEAD", "/members/x": "GET, HEAD", "/members/x/link": "GET, HEAD, POST"} {
		if got := v.do(http.MethodDelete, path, nil); got.status != http.StatusMethodNotAllowed || got.header.Get("Allow") != allow || !strings.Contains(got.body, "<h1>") {
			t.Errorf("DELETE %s: %d, allowed is %q", path, got.status, got.header.Get("Allow"))
		}
	}
	for _, path := range []string{"/nothing", "/keys/x", "/members/x/y", "/assets/../console.css", "/%2e%2e/etc/passwd", "/members/%2f%2fevil", "/keys/x/explode", "/sessions/x/end", "/upstreams/x/remove"} {
		got := v.get(path)
		if got.status != http.StatusNotFound && !(got.status == http.StatusTemporaryRedirect || got.status == http.StatusMovedPermanently) {
			t.Errorf("%s: %d", path, got.status)
		}
		if got.status == http.StatusNotFound && !strings.Contains(got.body, "There is nothing here") {
			t.Errorf("%s is not told of as the others:\n%s", path, got.body)
		}
	}
	program := w.visitor()
	program.headers = map[string]string{"Accept": "*/*"}
	if got := program.get("/v2/messages"); got.status != http.StatusNotFound || got.header.Get("Content-Type") != "application/json" || !strings.Contains(got.body, `"not_found_error"`) {
		t.Errorf("a program's wrong path: %d %s", got.status, got.body)
	}
	if got := v.do(http.MethodHead, "/", nil); got.status != http.StatusOK || got.body != "" {
		t.Errorf("HEAD /: %d %q", got.status, got.body)
	}
}
