package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/claudecode"
	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/helper"
	"github.com/gatehouse-dev/gatehouse/internal/source"
	"github.com/gatehouse-dev/gatehouse/internal/source/aws"
	"github.com/gatehouse-dev/gatehouse/internal/source/azure"
	"github.com/gatehouse-dev/gatehouse/internal/source/google"
	"github.com/gatehouse-dev/gatehouse/internal/source/sdk"
	"github.com/spf13/cobra"
)

// CredentialList is what "credential list --json" prints. Fields are only ever added.
type CredentialList struct {
	Credentials []CredentialStatus `json:"credentials"`
}

// CredentialStatus is one credential of this machine.
type CredentialStatus struct {
	Kind      string     `json:"kind"`
	Origin    string     `json:"origin"`
	Payer     string     `json:"payer"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
	Expired   bool       `json:"expired"`
	Problem   string     `json:"problem,omitempty"`
	// Usable is there with --check alone: whether it could be had.
	Usable *bool `json:"usable,omitempty"`
}

func (m *Main) credentialListVerb() *cobra.Command {
	var asJSON, check bool
	c := m.verb("list", "Show every credential of this machine: where from, until when, who pays, and no value",
		`Nothing is run and nobody is asked; with --check each is really fetched, which
runs scripts and the clouds' programs and uses the network. With --json one
object is printed: credentials [{kind, origin, payer, expires_at, expired,
problem, usable}]. Fields are only ever added. Which of them Claude Code uses
is told by "gatehouse status --explain".`, func(ctx context.Context) error { return m.credentialList(ctx, asJSON, check) })
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	c.Flags().BoolVar(&check, "check", false, "fetch each of them, and say whether it can be had")
	return c
}

func (m *Main) credentialList(ctx context.Context, asJSON, check bool) error {
	list := CredentialList{Credentials: []CredentialStatus{}}
	for _, s := range m.sources() {
		if status, found := m.credentialStatus(ctx, s, check); found {
			list.Credentials = append(list.Credentials, status)
		}
	}
	if asJSON {
		enc := json.NewEncoder(m.Stdout)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		if err := enc.Encode(list); err != nil {
			return fmt.Errorf("printing the list: %w", err)
		}
		return nil
	}
	if len(list.Credentials) == 0 {
		m.say("No credential was found on this machine.")
	}
	for _, c := range list.Credentials {
		m.printCredential(c)
	}
	return nil
}

func (m *Main) credentialStatus(ctx context.Context, s source.Source, check bool) (CredentialStatus, bool) {
	about, found := s.Find(ctx)
	var usable *bool
	if check {
		c, err := s.Credential(ctx)
		switch {
		case err == nil:
			about, found = c.About, true
		case !found:
			return CredentialStatus{}, false
		default:
			about.Problem = fault.Message(err)
		}
		ok := err == nil
		usable = &ok
	}
	if !found {
		return CredentialStatus{}, false
	}
	status := CredentialStatus{Kind: string(about.Kind), Origin: printable(about.Origin), Payer: printable(about.Payer), Problem: printable(about.Problem), Usable: usable}
	if !about.Expires.IsZero() {
		at := about.Expires.UTC()
		status.ExpiresAt, status.Expired = &at, !at.After(m.Now())
	}
	return status, true
}

func (m *Main) printCredential(c CredentialStatus) {
	fmt.Fprintf(m.Stdout, "%-12s %s\n", c.Kind, c.Origin)
	row := func(name, value string) { fmt.Fprintf(m.Stdout, "%12s %-8s %s\n", "", name, value) }
	row("pays", c.Payer)
	switch {
	case c.ExpiresAt == nil:
	case c.Expired && c.Kind == string(source.Account):
		row("until", "expired, renewed at the next use")
	case c.Expired:
		row("until", "expired at "+c.ExpiresAt.Format(time.RFC3339))
	default:
		row("until", c.ExpiresAt.Format(time.RFC3339)+", for another "+c.ExpiresAt.Sub(m.Now()).Round(time.Second).String())
	}
	if c.Usable != nil && *c.Usable {
		row("checked", "it can be had")
	}
	if c.Problem != "" {
		row("problem", c.Problem)
	}
}

// sources are all that can be on a machine.
func (m *Main) sources() []source.Source {
	machine := m.machine()
	all := m.signIns()
	all = append(all, source.Variables(machine)...)
	for _, s := range m.scripts(machine) {
		if s.Kind == helper.APIKey {
			all = append(all, source.Script{Runner: m.runner(), Script: s})
		}
	}
	return append(all, sdk.Federation{Machine: machine}, sdk.Profile{Machine: machine},
		aws.Source{Machine: machine}, google.Source{Machine: machine}, azure.Source{Machine: machine})
}

// signIns are the sign-ins of every profile that is remembered.
func (m *Main) signIns() []source.Source {
	memory, err := m.memory()
	if err != nil {
		return nil
	}
	files, _ := filepath.Glob(filepath.Join(memory.Dir, "profiles", "*.json"))
	slices.Sort(files)
	var all []source.Source
	for _, file := range files {
		name, err := credential.ParseProfile(strings.TrimSuffix(filepath.Base(file), ".json"))
		if err != nil {
			continue
		}
		as := *m
		as.profileFlag = string(name)
		at, err := as.places()
		if err != nil {
			continue
		}
		s := source.SignIn{Profile: name, Server: at.known.Origin, Now: m.Now, Pair: as.source(at).Pair,
			Stored: func(ctx context.Context) (credential.Pair, error) { return at.store.Load(ctx, name) }}
		all = append(all, s)
	}
	return all
}

// runner runs Claude Code's scripts.
func (m *Main) runner() *helper.Runner {
	lifetime := helper.TTL(m.Getenv("CLAUDE_CODE_API_KEY_HELPER_TTL_MS"))
	keep := m.cacheDir()
	if keep != "" {
		keep = filepath.Join(keep, "helper")
	}
	return &helper.Runner{Keep: keep, Lifetime: &lifetime, Now: m.Now, Wait: m.Wait,
		Notice: func(kind helper.Kind, sofar time.Duration) { m.say("The %s has been running for %s.", kind, sofar) }}
}

// scripts are those of the settings files, the organization's first. A file that
// cannot be read has none for Claude Code either; "status --explain" tells of it.
func (m *Main) scripts(machine source.Machine) []helper.Script {
	var all []helper.Script
	add := func(path string, place helper.Place, trusted bool) {
		raw, _, err := machine.File(path)
		if err == nil {
			found, _ := helper.InSettings(raw, path, place, trusted)
			all = append(all, found...)
		}
	}
	add(claudecode.ManagedSettings(m.managedFolder()), helper.Managed, false)
	dir, state := machine.At(".claude"), machine.At(".claude.json")
	if d := m.Getenv("CLAUDE_CONFIG_DIR"); d != "" {
		dir, state = d, filepath.Join(d, ".claude.json")
	}
	here, err := os.Getwd()
	if err == nil {
		state, _, _ := machine.File(state)
		trusted := helper.Trusts(state, here)
		add(filepath.Join(here, ".claude", "settings.local.json"), helper.Local, trusted)
		add(filepath.Join(here, ".claude", "settings.json"), helper.Project, trusted)
	}
	if dir != "" && dir != filepath.Join(here, ".claude") {
		add(filepath.Join(dir, "settings.json"), helper.User, false)
	}
	return all
}
