package server_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/apikey"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/gatehoused"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/nodes"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/repository"
)

// TestAdminAPIWithTheNodeSDK has the TypeScript SDK, as it comes, take every
// subject of the Admin API through its life. What is checked stands in
// test/node/admin.mjs.
func TestAdminAPIWithTheNodeSDK(t *testing.T) {
	nodes.Each(t, func(t *testing.T, database string) {
		w := nodes.Start(t, nodes.Options{Database: database})
		facts, err := json.Marshal(factsForNode(t, w))
		must(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		home := t.TempDir()
		cmd := exec.CommandContext(ctx, "node", filepath.Join(repository.Root(t), "test", "node", "admin.mjs"))
		cmd.Dir, cmd.Env = home, gatehoused.Environment(home, map[string]string{
			"ANTHROPIC_BASE_URL": w.URL, "ANTHROPIC_API_KEY": w.Sample.AdminKey.Reveal(), "FACTS": string(facts)})
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		last, err := turnFor(t, w, cmd)
		if err != nil || last != "done" {
			t.Errorf("the SDK: %v; it last said %q\n%s", err, last, &stderr)
		}
	})
}

// turnFor runs a program that says "turn" where it wants the clock turned, and
// returns what it said last.
func turnFor(t testing.TB, w *nodes.World, cmd *exec.Cmd) (last string, err error) {
	t.Helper()
	stdin, err := cmd.StdinPipe()
	must(t, err)
	stdout, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if last = lines.Text(); last == "turn" {
			w.Forward(t, time.Minute)
			if _, err := io.WriteString(stdin, "turned\n"); err != nil {
				break // it has ended, and says why itself
			}
		}
	}
	return last, cmd.Wait()
}

// factsForNode makes what the Admin API cannot make, and says what is there.
func factsForNode(t testing.TB, w *nodes.World) map[string]any {
	t.Helper()
	ctx, rooms, o := t.Context(), w.Server.Rooms(), w.Sample.Organization
	who, foreign := caller.OfOperator(o), strangers(t, w)
	for _, tag := range []string{"stable", "beta"} {
		w.Forward(t, time.Second)
		_, err := rooms.Orgs.Add(ctx, who, o, org.NewMember{Email: tag + "-leaver@example.com", Role: access.User})
		must(t, err)
	}
	members, _, err := rooms.Orgs.Members(ctx, who, o, org.MemberFilter{Email: w.Sample.Member.Email})
	must(t, err)
	_, _, err = rooms.Keys.Create(ctx, members[0].Caller(caller.Web), o, apikey.New{Name: "second"})
	must(t, err)
	role, err := rooms.Orgs.CreateRole(ctx, who, o, org.Role{Name: "Readers", Rights: caller.RightsOf(caller.ReadMembers, caller.ReadWorkspaces)})
	must(t, err)
	narrow, value, err := rooms.Keys.CreateAdmin(ctx, who, o, apikey.New{Name: "narrow", Scopes: caller.RightsOf(caller.ReadWorkspaces)})
	must(t, err)
	return map[string]any{"organization": string(o), "email": w.Sample.Member.Email, "role": string(role.ID), "adminKey": string(narrow.ID),
		"narrowKey": value.Reveal(), "apiKey": w.Sample.APIKey.Reveal(),
		"foreign": map[string]string{"member": foreign.member, "workspace": foreign.workspace, "group": foreign.group, "service": foreign.service, "role": foreign.role}}
}
