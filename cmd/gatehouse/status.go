package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/keystore"
	"github.com/gatehouse-dev/gatehouse/internal/login"
	"github.com/spf13/cobra"
)

// Status is what "status --json" prints. Fields are only ever added.
type Status struct {
	Profile       string        `json:"profile"`
	SignedIn      bool          `json:"signed_in"`
	Server        string        `json:"server,omitempty"`
	Identity      *Identity     `json:"identity,omitempty"` // as the access token says, unverified
	Organization  string        `json:"organization_id,omitempty"`
	DeviceSession string        `json:"device_session_id,omitempty"`
	SignedInAt    *time.Time    `json:"signed_in_at,omitempty"`
	AccessToken   *TokenStatus  `json:"access_token,omitempty"`
	Store         StoreStatus   `json:"store"`
	SDKProfile    ProfileStatus `json:"sdk_profile"`

	ClaudeCode *ClaudeCodeStatus `json:"claude_code,omitempty"`
	Explain    *ExplainStatus    `json:"explain,omitempty"` // with --explain
}

// Identity is who is signed in.
type Identity struct {
	Subject string `json:"subject"`
	Email   string `json:"email,omitempty"`
	Name    string `json:"name,omitempty"`
}

// TokenStatus is how the stored access token stands. An expired one is renewed
// when it is next asked for.
type TokenStatus struct {
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
	Expired   bool       `json:"expired"`
}

// StoreStatus is where the credential is kept.
type StoreStatus struct {
	Kind string `json:"kind"`
	Path string `json:"path"`          // of a file; otherwise the item in words
	Why  string `json:"why,omitempty"` // it is kept there
}

// ProfileStatus is the profile of the official SDKs; OK says that it leads to
// the server of this sign-in.
type ProfileStatus struct {
	Name string `json:"name"`
	Path string `json:"path"`
	OK   bool   `json:"ok"`
}

func (m *Main) statusVerb() *cobra.Command {
	var asJSON, why bool
	c := m.aboutProfile(m.verb("status", "Show who is signed in where, and what Claude Code uses, from what is stored on this machine",
		`The server is not asked. With --json one object is printed on standard output:
profile, signed_in, server, identity {subject, email, name}, organization_id,
device_session_id, signed_in_at, access_token {expires_at, expired},
store {kind, path, why}, sdk_profile {name, path, ok}, claude_code {source,
identity, payer, endpoint, refused}. Fields are only ever added.
Exit code 3 if nobody is signed in.

With --explain every source that Claude Code looks at is shown: found or not,
where, until when, who pays, and why it lost; then what should be known beside
that; then one line: who is asked as, the source, who pays, the endpoint. It
holds for this folder and this shell. Nothing is run and nobody is asked. In
JSON that is explain {folder, candidates [{name, state, where, expires_at,
problem, identity, payer, why}], authorization, x_api_key, notes [{code, says,
mend}]}. Then exit code 3 says that Claude Code has no credential at all.`,
		func(ctx context.Context) error { return m.status(ctx, asJSON, why) }))
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	c.Flags().BoolVar(&why, "explain", false, "show every source of a credential, and why it is used or not")
	return c
}

func (m *Main) status(ctx context.Context, asJSON, why bool) error {
	at, err := m.places()
	if err != nil {
		return err
	}
	s, problem := m.look(ctx, at)
	x, folder := m.explain(ctx, s, problem)
	s.ClaudeCode = chosen(x)
	if why {
		s.Explain = explained(x, folder)
	}
	switch {
	case asJSON:
		enc := json.NewEncoder(m.Stdout)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		if err := enc.Encode(s); err != nil {
			return fmt.Errorf("printing the status: %w", err)
		}
	case why:
		m.printExplanation(x, folder)
	case problem == nil:
		m.print(s, x.Line())
	}
	_, won := x.Winner()
	switch {
	case why && won:
		return nil
	case why && problem == nil:
		return fault.New(fault.Unauthenticated, "Claude Code has no credential here").WithHint(setUpClaudeCode(at.profile))
	}
	return at.signedOut(problem)
}

// setUpClaudeCode is the command that makes Claude Code use a sign-in.
func setUpClaudeCode(p credential.Profile) string { return "gatehouse setup claude-code" + p.Flag() }

// look gathers what is stored; problem says why nobody counts as signed in.
func (m *Main) look(ctx context.Context, at places) (s Status, problem error) {
	s = Status{Profile: at.profile.String(),
		Store:      StoreStatus{Kind: at.store.Name(), Path: at.store.Where(at.profile), Why: at.known.StorageWhy},
		SDKProfile: ProfileStatus{Name: at.profile.SDKName(), Path: at.sdk.Config(at.profile)}}
	known := at.known
	if at.recall != nil {
		return s, at.recall
	}
	s.Server, s.SignedInAt = known.Origin, &known.SignedIn
	there, err := at.sdk.Read(at.profile)
	s.SDKProfile.OK = err == nil && at.keptIn() == keystore.File && there.ClientID == login.ClientID && there.BaseURL == known.Origin
	pair, err := at.store.Load(ctx, at.profile)
	if err != nil {
		return s, err
	}
	s.SignedIn = true
	s.AccessToken = &TokenStatus{Expired: !pair.Expires.After(m.Now())}
	if !pair.Expires.IsZero() {
		at := pair.Expires.UTC()
		s.AccessToken.ExpiresAt = &at
	}
	if claims, err := credential.ReadClaims(pair.Access); err == nil {
		s.Identity = &Identity{Subject: claims.Subject, Email: claims.Email, Name: claims.Name}
		s.Organization, s.DeviceSession = claims.Organization, claims.DeviceSession
	}
	return s, nil
}

// print ends with what Claude Code uses, in one line.
func (m *Main) print(s Status, uses string) {
	row := func(name, value string) {
		if value = printable(value); value != "" {
			fmt.Fprintf(m.Stdout, "%-16s %s\n", name+":", value)
		}
	}
	if s.Identity != nil {
		row("Signed in", person(credential.Claims{Name: s.Identity.Name, Email: s.Identity.Email}))
	}
	row("Server", s.Server)
	row("Organization", s.Organization)
	row("Device session", s.DeviceSession)
	row("Since", s.SignedInAt.UTC().Format(time.RFC3339))
	row("Access token", m.life(s.AccessToken))
	switch {
	case s.ClaudeCode.Refused != "":
		uses = "does not start: " + s.ClaudeCode.Refused
	case uses == "":
		uses = "has no credential; run: " + setUpClaudeCode(credential.Profile(s.Profile))
	}
	row("Claude Code", uses)
	row("Store", s.Store.Kind+", "+s.Store.Path)
	row("Why there", s.Store.Why)
	if s.Store.Kind != keystore.File {
		row("SDK profile", "none, because an SDK could not read the credential there")
		return
	}
	state := "not usable, run: gatehouse login" + credential.Profile(s.Profile).Flag()
	if s.SDKProfile.OK {
		state = "use it with ANTHROPIC_PROFILE=" + s.SDKProfile.Name
	}
	row("SDK profile", s.SDKProfile.Name+", "+state)
}

func (m *Main) life(t *TokenStatus) string {
	switch {
	case t.ExpiresAt == nil || t.Expired:
		return "expired, renewed at the next use"
	default:
		return "for another " + t.ExpiresAt.Sub(m.Now()).Round(time.Second).String() + ", renewed by itself"
	}
}

// printable drops what could steer a terminal from a text that came from outside.
func printable(s string) string {
	return oneLine(strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, s))
}

// sentence begins with a capital letter.
func sentence(s string) string {
	for i, r := range s {
		return string(unicode.ToUpper(r)) + s[i+len(string(r)):]
	}
	return s
}
