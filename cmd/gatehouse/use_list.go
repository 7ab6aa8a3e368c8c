package main

import (
	"context"
	"encoding/json"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/binding"
	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

// Profiles is what "use --json" prints. Fields are only ever added.
type Profiles struct {
	Active   string          `json:"active"`
	Here     *HereStatus     `json:"here,omitempty"`
	Profiles []ProfileInList `json:"profiles"`
	Bindings []BindingInList `json:"bindings"`
}

// HereStatus is what the working folder is bound to.
type HereStatus struct {
	Profile string `json:"profile,omitempty"`
	Why     string `json:"why,omitempty"`
	Problem string `json:"problem,omitempty"` // it cannot be decided
}

// ProfileInList is one sign-in.
type ProfileInList struct {
	Name         string       `json:"name"`
	Active       bool         `json:"active"`
	Server       string       `json:"server,omitempty"`
	Identity     *Identity    `json:"identity,omitempty"` // as the access token says, unverified
	Organization string       `json:"organization_id,omitempty"`
	Storage      string       `json:"storage"`
	SignedIn     bool         `json:"signed_in"`
	SignedInAt   *time.Time   `json:"signed_in_at,omitempty"`
	AccessToken  *TokenStatus `json:"access_token,omitempty"`
	SDKActive    bool         `json:"sdk_active"` // the SDKs use it where none is named
	Problem      string       `json:"problem,omitempty"`
}

// BindingInList is one binding, of a folder or of git remotes.
type BindingInList struct {
	Folder  string `json:"folder,omitempty"`
	Pattern string `json:"pattern,omitempty"`
	Profile string `json:"profile"`
	Here    bool   `json:"here"` // it decides in the working folder
}

func (m *Main) listProfiles(ctx context.Context, asJSON bool) error {
	memory, err := m.memory()
	if err != nil {
		return err
	}
	active, err := memory.Active()
	if err != nil {
		return err
	}
	list := Profiles{Active: active.String(), Profiles: []ProfileInList{}, Bindings: []BindingInList{}}
	rules, err := binding.In(memory.Dir).Load()
	if err != nil {
		return err
	}
	bound, undecided := m.bound(memory.Dir)
	list.here(rules, bound, undecided)
	for _, p := range memory.Profiles() {
		one, err := m.inList(ctx, p)
		if err != nil {
			return err
		}
		one.Active = p.String() == list.Active
		list.Profiles = append(list.Profiles, one)
	}
	if asJSON {
		enc := json.NewEncoder(m.Stdout)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		if err := enc.Encode(list); err != nil {
			return fmt.Errorf("printing the profiles: %w", err)
		}
		return nil
	}
	return m.printProfiles(list)
}

func (l *Profiles) here(rules binding.Rules, bound *binding.Bound, undecided error) {
	switch {
	case undecided != nil:
		l.Here = &HereStatus{Problem: fault.Message(undecided)}
	case bound != nil:
		l.Here = &HereStatus{Profile: bound.Profile.String(), Why: bound.Why()}
	}
	for _, f := range rules.Folders {
		l.Bindings = append(l.Bindings, BindingInList{Folder: f.Path, Profile: f.Profile.String(), Here: bound != nil && bound.Folder == f.Path})
	}
	for _, r := range rules.Remotes {
		l.Bindings = append(l.Bindings, BindingInList{Pattern: r.Pattern, Profile: r.Profile.String(), Here: bound != nil && bound.Pattern == r.Pattern})
	}
}

// inList looks at one profile. What keeps it from being used is said, and is no
// error of the list.
func (m *Main) inList(ctx context.Context, p credential.Profile) (ProfileInList, error) {
	at, err := m.placesOf(p)
	if err != nil {
		return ProfileInList{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, loadPatience)
	defer cancel()
	s, problem := m.look(ctx, at)
	one := ProfileInList{Name: s.Profile, Server: s.Server, Identity: s.Identity, Organization: s.Organization, Storage: at.keptIn(), SignedIn: s.SignedIn,
		SignedInAt: s.SignedInAt, AccessToken: s.AccessToken, SDKActive: s.SDKProfile.OK && at.sdk.Active() == s.SDKProfile.Name}
	if problem != nil {
		one.Problem = message(at.signedOut(problem))
	}
	return one, nil
}

func (m *Main) printProfiles(l Profiles) error {
	w := tabwriter.NewWriter(m.Stdout, 0, 8, 2, ' ', 0)
	for _, p := range l.Profiles {
		mark, state := " ", printable(p.Problem)
		if p.Active {
			mark = "*"
		}
		if p.AccessToken != nil {
			state = "access token " + m.life(p.AccessToken)
		}
		who := ""
		if p.Identity != nil {
			who = person(credential.Claims{Name: p.Identity.Name, Email: p.Identity.Email})
		}
		fmt.Fprintf(w, "%s %s\t%s\t%s\t%s\t%s\n", mark, p.Name, p.Server, who, p.Storage, state)
	}
	for _, b := range l.Bindings {
		mark := " "
		if b.Here {
			mark = ">"
		}
		fmt.Fprintf(w, "%s %s\tbound to %s\n", mark, printable(b.Folder+b.Pattern), b.Profile)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("printing the profiles: %w", err)
	}
	switch {
	case len(l.Profiles) == 0:
		m.say("Nobody was signed in here yet; run: gatehouse login")
	case l.Here != nil && l.Here.Problem != "":
		m.say("In this folder it cannot be decided: %s", printable(l.Here.Problem))
	case l.Here != nil:
		m.say("In this folder %s is meant, because %s.", l.Here.Profile, printable(l.Here.Why))
	}
	return nil
}
