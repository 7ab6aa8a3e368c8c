package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/binding"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/gatehoused"
)

// Programs that bind at the same moment forget nothing of each other.
func TestBindingsAreNotLost(t *testing.T) {
	t.Parallel()
	m := newMember(t)
	m.login()
	const programs = 12
	var all sync.WaitGroup
	for i := range programs {
		all.Go(func() {
			cmd := m.command("use", "--here", "default")
			cmd.Dir = filepath.Join(m.home, fmt.Sprint("folder", i))
			if i%2 == 0 {
				cmd = m.command("use", "--remote", fmt.Sprintf("github.com/acme/app%d", i), "default")
				cmd.Dir = m.home
			} else if err := os.Mkdir(cmd.Dir, 0o755); err != nil {
				t.Error(err)
			}
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v, %s", err, out)
			}
		})
	}
	all.Wait()
	rules, err := binding.In(filepath.Join(m.home, ".config/gatehouse")).Load()
	if err != nil || len(rules.Folders) != programs/2 || len(rules.Remotes) != programs/2 {
		t.Errorf("%v, %v", rules, err)
	}
}

// A choice that cannot be kept whole is not made at all.
func TestTheChoiceIsMadeWhole(t *testing.T) {
	t.Parallel()
	m := newMember(t)
	m.login()
	if _, stderr, code := m.run("login", "--profile", "work"); code != 0 {
		t.Fatal(stderr)
	}
	if _, stderr, code := m.run("use", "work"); code != 0 {
		t.Fatal(stderr)
	}
	// What stands in the place of our file cannot be replaced.
	active := filepath.Join(m.home, ".config/gatehouse/active.json")
	if err := os.Remove(active); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(active, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, stderr, code := m.run("use", "default"); code == 0 {
		t.Errorf("it is chosen: %s", stderr)
	}
	if b, err := os.ReadFile(filepath.Join(m.home, ".config/anthropic/active_config")); err != nil || string(b) != "gatehouse-work\n" {
		t.Errorf("the SDKs use %q, %v", b, err)
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	known := []string{"client-a", "client-b", "default", "work", "werk"}
	for name, want := range map[string][]string{
		"wrok": {"work", "werk"}, "Work": {"work", "werk"}, "client": {"client-a", "client-b"}, "clent-a": {"client-a", "client-b"}, "defualt": {"default"}, "zzz": nil,
	} {
		if got := nearest(name, known); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

// The real server says which one it is, keeps saying so when it starts again,
// and no other says the same.
func TestAServerKeepsItsID(t *testing.T) {
	t.Parallel()
	instance := func(server string) string {
		resp, err := http.Get(server + "/.well-known/oauth-authorization-server")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var w struct {
			Instance string `json:"instance_id"`
		}
		if err := json.NewDecoder(resp.Body).Decode(&w); err != nil || len(w.Instance) < 20 {
			t.Fatalf("%q, %v", w.Instance, err)
		}
		return w.Instance
	}
	one := gatehoused.Start(t, gatehoused.Options{})
	before := instance(one.URL)
	one.Restart()
	if after := instance(one.URL); after != before {
		t.Errorf("%s became %s", before, after)
	}
	if other := instance(gatehoused.Start(t, gatehoused.Options{}).URL); other == before {
		t.Error("two servers are the same")
	}
}
