package server_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/server"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/nodes"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/upstream"
)

// TestUpstreamsOnThisMachine connects upstreams that only somebody on the
// server's own machine could mean. They are asked only if whoever runs the
// server allows that.
func TestUpstreamsOnThisMachine(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, host string
		allow      bool
	}{
		{"by address", "127.0.0.1", false}, {"by name", "localhost", false}, {"mapped", "[::ffff:127.0.0.1]", false},
		{"by address, allowed", "127.0.0.1", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			up := upstream.New(t)
			w := nodes.Start(t, nodes.Options{UpstreamURL: strings.Replace(up.URL, "127.0.0.1", c.host, 1), Change: func(cfg *server.Config) { cfg.AllowLocal = c.allow }})
			request, _ := http.NewRequestWithContext(t.Context(), "POST", w.URL+"/v1/messages", strings.NewReader(`{"model":"claude-sonnet-4-6","max_tokens":5,"messages":[]}`))
			request.Header.Set("x-api-key", w.Sample.APIKey.Reveal())
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			body, _ := io.ReadAll(response.Body)
			asked := up.Count(upstream.Messages) > 0
			if c.allow && (!asked || response.StatusCode != http.StatusOK) {
				t.Errorf("answered %d %s", response.StatusCode, body)
			}
			if !c.allow && (asked || response.StatusCode != http.StatusServiceUnavailable || !strings.Contains(string(body), "does not connect to") || strings.Contains(string(body), "127.0.0.1")) {
				t.Errorf("asked: %v, answered %d %s", asked, response.StatusCode, body)
			}
		})
	}
}

// TestOwnersSeeHowUpstreamsDo has the only upstream fail until it is passed over.
func TestOwnersSeeHowUpstreamsDo(t *testing.T) {
	t.Parallel()
	up := upstream.New(t)
	w := nodes.Start(t, nodes.Options{UpstreamURL: up.URL})
	owner := w.SignIn(t, w.Sample.Owner)
	page := func() string {
		status, body := owner.Get(t, "/upstreams")
		if status != http.StatusOK {
			t.Fatalf("the list: %d %s", status, body)
		}
		return body
	}
	if body := page(); !strings.Contains(body, "Not used yet") {
		t.Errorf("before any request:\n%s", body)
	}
	ask(t, w.URL, w.Sample.APIKey.Reveal())
	if body := page(); !strings.Contains(body, ">Active<") || strings.Contains(body, "Not used yet") {
		t.Errorf("after a good answer:\n%s", body)
	}
	up.Always(upstream.Plan{Status: http.StatusServiceUnavailable})
	for range 10 {
		ask(t, w.URL, w.Sample.APIKey.Reveal())
	}
	if body := page(); !strings.Contains(body, "Passed over") || !strings.Contains(body, "Tried again") {
		t.Errorf("after ten failures:\n%s", body)
	}
	status, body := w.SignIn(t, w.Sample.Member).Get(t, "/upstreams")
	if status != http.StatusForbidden || strings.Contains(body, "Passed over") {
		t.Errorf("to a member: %d", status)
	}
}

// TestGroupsHaveModels keeps members to the models of their groups, on two nodes and as
// soon as that changes.
func TestGroupsHaveModels(t *testing.T) {
	nodes.Each(t, func(t *testing.T, database string) {
		up := upstream.New(t)
		w := nodes.Start(t, nodes.Options{Database: database, UpstreamURL: up.URL})
		other := w.Join(t)
		o, rooms, system := w.Sample.Organization, w.Server.Rooms(), caller.OfSystem(w.Sample.Organization)
		group := func(name string, models ...string) org.Group {
			g, err := rooms.Orgs.CreateGroup(t.Context(), system, o, org.Group{Name: name, Models: models})
			must(t, err)
			return g
		}
		small, large, plain := group("Small", "claude-haiku-4-5", "claude-opus-4-6"), group("Large", "claude-opus-5"), group("Plain")
		found, _, err := rooms.Orgs.Members(t.Context(), system, o, org.MemberFilter{Email: w.Sample.Member.Email})
		must(t, err)
		member, access := found[0].ID, signInDevice(t, w).text("access_token")
		may := func(node *nodes.Node, credential, model string) answer {
			return send(t, http.MethodPost, node.URL+"/v1/messages", "application/json", `{"model":"`+model+`","max_tokens":5,"messages":[]}`, http.Header{"Authorization": {"Bearer " + credential}})
		}
		expect := func(what string, allowed ...string) {
			t.Helper()
			for _, node := range []*nodes.Node{w.Node, other} {
				for _, model := range []string{"claude-haiku-4-5", "claude-opus-5", "claude-sonnet-5"} {
					status := http.StatusBadRequest
					if slices.Contains(allowed, model) {
						status = http.StatusOK
					}
					waitFor(t, what+": "+model, func() bool { return may(node, access, model).status == status })
				}
			}
		}
		expect("without a group", "claude-haiku-4-5", "claude-opus-5", "claude-sonnet-5")
		must(t, rooms.Orgs.AddToGroup(t.Context(), system, o, plain.ID, member))
		must(t, rooms.Orgs.AddToGroup(t.Context(), system, o, small.ID, member))
		expect("in one that names some", "claude-haiku-4-5")
		refusal := may(w.Node, access, "claude-opus-5")
		if said := fmt.Sprint(refusal.body); !strings.Contains(said, "your groups") || !strings.Contains(said, "claude-haiku-4-5") {
			t.Errorf("the refusal says %s", said)
		}
		listed := send(t, http.MethodGet, w.URL+"/v1/models", "", "", http.Header{"Authorization": {"Bearer " + access}})
		if said := fmt.Sprint(listed.body); strings.Contains(said, "claude-sonnet-5") || !strings.Contains(said, "claude-opus-4-6") {
			t.Errorf("the list is %s", said)
		}
		if got := may(w.Node, w.Sample.APIKey.Reveal(), "claude-sonnet-5"); got.status != http.StatusBadRequest {
			t.Errorf("with a key of the member's: %d", got.status)
		}
		must(t, rooms.Orgs.AddToGroup(t.Context(), system, o, large.ID, member))
		expect("in two", "claude-haiku-4-5", "claude-opus-5")
		must(t, rooms.Orgs.SetModels(t.Context(), system, o, []string{"claude-opus-5", "claude-sonnet-5"}))
		expect("where the organization allows less", "claude-opus-5")
		must(t, rooms.Orgs.SetModels(t.Context(), system, o, nil))
		large.Models = []string{"claude-sonnet-5"}
		_, err = rooms.Orgs.UpdateGroup(t.Context(), system, o, large)
		must(t, err)
		expect("after a change", "claude-haiku-4-5", "claude-sonnet-5")
		must(t, rooms.Orgs.DeleteGroup(t.Context(), system, o, small.ID))
		expect("after one is gone", "claude-sonnet-5")
		must(t, rooms.Orgs.RemoveFromGroup(t.Context(), system, o, large.ID, member))
		expect("out of them", "claude-haiku-4-5", "claude-opus-5", "claude-sonnet-5")
	})
}
