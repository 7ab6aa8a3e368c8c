package console_test

import (
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/upstream"
)

// TestUpstreamsAreChanged sends the form of each provider back as it is, which must
// change nothing, and then with something else in it.
func TestUpstreamsAreChanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	v := w.as(w.owner)
	system, o := caller.OfSystem(w.owner.Organization), w.owner.Organization
	both := func(in upstream.Settings) upstream.Settings {
		in.Weight, in.Fence, in.Pool, in.RequestsPerMinute, in.TokensPerMinute = 3, "eu", "account", 10, 2000
		in.Models = map[string]string{"claude-opus-4-8": "mine", "claude-sonnet-5": "other"}
		return in
	}
	for _, one := range []upstream.New{
		{Provider: upstream.Anthropic, Settings: both(upstream.Settings{})},
		{Provider: upstream.Anthropic, Settings: both(upstream.Settings{Way: upstream.WayIssuer, FederationRule: "fdrl_1", AnthropicOrg: "00000000-0000-0000-0000-000000000000", ServiceAccount: "svac_1", Workspace: "default"})},
		{Provider: upstream.AnthropicAWS, Settings: both(upstream.Settings{Region: "us-east-1", Workspace: "wrkspc_1"})},
		{Provider: upstream.Bedrock, Settings: both(upstream.Settings{Way: upstream.WayAccess, AccessKeyID: "AKIAIOSFODNN7EXAMPLE", Region: "eu-central-1", Geography: "eu", RoleARN: "arn:aws:iam::123456789012:role/x", PerMember: true, Guardrail: "abc", GuardrailVersion: "1"})},
		{Provider: upstream.Mantle, Settings: both(upstream.Settings{Region: "us-east-1"})},
		{Provider: upstream.Vertex, Settings: both(upstream.Settings{Way: upstream.WayAccount, Project: "my-project", Region: "global", Impersonate: "a@b.iam.gserviceaccount.com"})},
		{Provider: upstream.Foundry, Settings: both(upstream.Settings{Way: upstream.WayAccount, Resource: "my-resource", Tenant: "tenant", Client: "client"})},
	} {
		one.Credential = secret.New(`"a-secret"`) // JSON, as Google's keys are
		made, err := w.upstreams.Connect(t.Context(), system, o, one)
		if err != nil {
			t.Fatal(one.Provider, err)
		}
		stored := func() upstream.Upstream {
			all, err := w.upstreams.List(t.Context(), system, o)
			if err != nil {
				t.Fatal(err)
			}
			for _, u := range all {
				if u.ID == made.ID {
					return u
				}
			}
			t.Fatal("it is gone")
			return upstream.Upstream{}
		}
		was, at := stored(), "/upstreams/"+string(made.ID)+"/edit"
		page := v.get(at)
		if page.status != http.StatusOK || strings.Contains(page.body, "a-secret") {
			t.Fatalf("%s: the form is %d, and has the secret: %v", made.Name, page.status, strings.Contains(page.body, "a-secret"))
		}
		typed := inForm(t, page.body, at)
		if got := v.post(at, typed); got.location != "/upstreams?done=saved" {
			t.Errorf("%s, sent back as it is: %d %s", made.Name, got.status, got.location)
		}
		if is := stored(); !reflect.DeepEqual(is, was) {
			t.Errorf("%s, sent back as it is, was %+v and is %+v", made.Name, was, is)
		}
		typed.Set("weight", "7")
		typed.Set("fence", "")
		if got := v.post(at, typed); got.location != "/upstreams?done=saved" {
			t.Errorf("%s, with another weight: %d %s", made.Name, got.status, got.location)
		}
		want := was
		want.Settings.Weight, want.Settings.Fence, want.Version = 7, "", 2
		if is := stored(); !reflect.DeepEqual(is, want) {
			t.Errorf("%s, with another weight, is %+v, want %+v", made.Name, is, want)
		}
		if again := v.post(at, typed); again.status != http.StatusConflict {
			t.Errorf("%s, by somebody who saw the first: %d", made.Name, again.status)
		}
		typed = inForm(t, v.get(at).body, at)
		typed.Set("base_url", "https://elsewhere.example")
		if got := v.post(at, typed); made.Settings.Way != upstream.WayIssuer && (got.status != http.StatusBadRequest || !strings.Contains(got.body, "enter the credential again")) {
			t.Errorf("%s, to elsewhere: %d", made.Name, got.status)
		}
		typed.Set("credential", `"another"`)
		if got := v.post(at, typed); made.Settings.Way != upstream.WayIssuer && got.location != "/upstreams?done=saved" {
			t.Errorf("%s, to elsewhere with another key: %d", made.Name, got.status)
		}
	}
	simulated, err := w.upstreams.Connect(t.Context(), system, o, upstream.New{Provider: upstream.Simulated})
	if err != nil {
		t.Fatal(err)
	}
	if got := v.get("/upstreams/" + string(simulated.ID) + "/edit"); got.status != http.StatusNotFound {
		t.Errorf("a simulated model is changed: %d", got.status)
	}
	if got := w.as(w.member).post("/upstreams/"+string(simulated.ID)+"/edit", url.Values{}); got.status != http.StatusForbidden {
		t.Errorf("a member changes an upstream: %d", got.status)
	}
}

// inForm is what a browser would send of the form that goes to action, if nothing is
// touched.
func inForm(t *testing.T, page, action string) url.Values {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Data == "form" && attributesOf(n)["action"] == action {
			return sent(n)
		}
	}
	t.Fatalf("there is no form to %s in\n%s", action, page)
	return nil
}

func sent(form *html.Node) url.Values {
	typed := url.Values{}
	for n := range form.Descendants() {
		has := attributesOf(n)
		_, checked := has["checked"]
		switch {
		case n.Data == "textarea" && n.FirstChild != nil:
			typed.Add(has["name"], n.FirstChild.Data)
		case n.Data == "textarea":
			typed.Add(has["name"], "")
		case n.Data == "input" && (checked || has["type"] != "radio" && has["type"] != "checkbox"):
			typed.Add(has["name"], has["value"])
		}
	}
	return typed
}

func attributesOf(n *html.Node) map[string]string {
	all := map[string]string{}
	for _, a := range n.Attr {
		all[a.Key] = a.Val
	}
	return all
}
