package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/claudecode"
	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/precedence"
	"github.com/gatehouse-dev/gatehouse/internal/source"
)

// ClaudeCodeStatus is what Claude Code would use, started in this folder and from
// this shell.
type ClaudeCodeStatus struct {
	Source   string `json:"source,omitempty"` // a name of Candidates; empty: nothing was found
	Identity string `json:"identity,omitempty"`
	Payer    string `json:"payer,omitempty"`
	Endpoint string `json:"endpoint,omitempty"`
	Refused  string `json:"refused,omitempty"` // why it does not start
}

// ExplainStatus is how that was decided.
type ExplainStatus struct {
	Folder     string            `json:"folder,omitempty"`
	Candidates []CandidateStatus `json:"candidates"` // every source, the highest first
	// Authorization and Key are the sources of the two headers.
	Authorization string       `json:"authorization,omitempty"`
	Key           string       `json:"x_api_key,omitempty"`
	Notes         []NoteStatus `json:"notes"`
}

// CandidateStatus is one source of a credential.
type CandidateStatus struct {
	Name      string     `json:"name"`
	State     string     `json:"state"` // wins, sent, loses or absent
	Where     string     `json:"where,omitempty"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
	Problem   string     `json:"problem,omitempty"`
	Identity  string     `json:"identity,omitempty"`
	Payer     string     `json:"payer,omitempty"`
	Why       string     `json:"why,omitempty"`
}

// NoteStatus is something to know beside the choice.
type NoteStatus struct {
	Code string `json:"code"`
	Says string `json:"says"`
	Mend string `json:"mend,omitempty"` // a command
}

// explain is the choice of Claude Code in this folder. here is the sign-in that
// was looked at already, so that its storage is not opened twice.
func (m *Main) explain(ctx context.Context, here Status, problem error) (precedence.Explanation, string) {
	folder, _ := os.Getwd() // without a folder there are no settings of a project
	machine := precedence.Machine{Machine: m.machine(), Folder: folder, Managed: m.managedFolder()}
	machine.Own = func(command string) (precedence.Source, bool) {
		at, ours := m.helperOf(command)
		switch {
		case !ours:
			return precedence.Source{}, false
		case at.profile.String() != here.Profile:
			here, problem = m.look(ctx, at)
		}
		return m.asSource(here, at.signedOut(problem)), true
	}
	return precedence.Explain(precedence.Read(ctx, machine)), folder
}

// helperOf recognises a helper that is this program, and says which sign-in it
// answers for.
func (m *Main) helperOf(command string) (places, bool) {
	as := *m
	as.profileFlag = ""
	if at, err := as.places(); err == nil {
		plain := at
		plain.profile = credential.DefaultProfile
		if to, err := m.target(plain, setupFlags{}); err == nil && to.Command == command {
			return at, true
		}
	}
	memory, err := m.memory()
	if err != nil {
		return places{}, false
	}
	for _, p := range memory.Profiles() {
		at, err := m.placesOf(p)
		if err != nil {
			continue
		}
		if to, err := m.target(at, setupFlags{}); err == nil && to.Command == command {
			return at, true
		}
	}
	return places{}, false
}

// asSource is a sign-in of ours as one of the sources.
func (m *Main) asSource(s Status, problem error) precedence.Source {
	from := precedence.Source{Payer: "your organization, through " + source.Place(s.Server)}
	if problem != nil {
		from.Problem = message(problem)
	}
	if s.Identity != nil {
		from.Identity = s.Identity.Email
		if from.Identity == "" {
			from.Identity = s.Identity.Subject
		}
	}
	if s.AccessToken != nil && s.AccessToken.ExpiresAt != nil {
		from.Until = *s.AccessToken.ExpiresAt
	}
	return from
}

// managedFolder is where an organization's settings of Claude Code are.
func (m *Main) managedFolder() string {
	folder := claudecode.ManagedFolder(m.System)
	if rootFolder != "/" { // which Windows would not have before a drive
		folder = filepath.Join(rootFolder, folder)
	}
	return folder
}

func chosen(e precedence.Explanation) *ClaudeCodeStatus {
	w, _ := e.Winner() // none is one that says nothing
	c := &ClaudeCodeStatus{Source: string(w.Name), Identity: w.Identity, Payer: w.Payer, Refused: e.Choice.Refused}
	if e.Choice.Endpoint != "" {
		c.Endpoint = source.Place(e.Choice.Endpoint)
	}
	return c
}

func explained(e precedence.Explanation, folder string) *ExplainStatus {
	x := &ExplainStatus{Folder: folder, Candidates: []CandidateStatus{}, Notes: []NoteStatus{}, Authorization: string(e.Choice.Authorization), Key: string(e.Choice.Key)}
	for _, c := range e.Candidates {
		one := CandidateStatus{Name: string(c.Name), State: string(c.State), Where: c.Where, Problem: c.Problem, Identity: c.Identity, Payer: c.Payer, Why: c.Why}
		if !c.Until.IsZero() {
			at := c.Until.UTC()
			one.ExpiresAt = &at
		}
		x.Candidates = append(x.Candidates, one)
	}
	for _, n := range e.Notes {
		x.Notes = append(x.Notes, NoteStatus{n.Code, n.Says, n.Mend})
	}
	return x
}

// marks are those before a source's name.
var marks = map[precedence.State]string{precedence.Wins: ">", precedence.Sent: "+", precedence.Loses: "-", precedence.Absent: " "}

// printExplanation ends with the one line that says it all.
func (m *Main) printExplanation(e precedence.Explanation, folder string) {
	where := "here"
	if folder != "" {
		where = "in " + printable(folder)
	}
	fmt.Fprintf(m.Stdout, "Claude Code, started %s, looks for a credential in this order:\n\n", where)
	for _, c := range e.Candidates {
		m.printCandidate(c)
	}
	for _, n := range e.Notes {
		fmt.Fprintf(m.Stdout, "\nNote: %s.\n", printable(n.Says))
		if n.Mend != "" {
			fmt.Fprintf(m.Stdout, "      run: %s\n", printable(n.Mend))
		}
	}
	fmt.Fprintln(m.Stdout)
	switch line := e.Line(); {
	case e.Choice.Refused != "":
		fmt.Fprintf(m.Stdout, "Claude Code does not start: %s.\n", printable(e.Choice.Refused))
	case line != "":
		fmt.Fprintln(m.Stdout, printable(line))
	}
}

func (m *Main) printCandidate(c precedence.Candidate) {
	state := map[precedence.State]string{precedence.Wins: "wins", precedence.Sent: "sent too", precedence.Loses: "loses", precedence.Absent: "not there"}[c.State]
	if c.Why != "" {
		state += ": " + c.Why
	}
	fmt.Fprintf(m.Stdout, "%s %-29s %s\n", marks[c.State], c.Name.Title(), printable(state))
	row := func(name, value string) {
		if value = printable(value); value != "" {
			fmt.Fprintf(m.Stdout, "%32s%-7s %s\n", "", name, value)
		}
	}
	row("where", c.Where)
	row("who", c.Identity)
	row("pays", c.Payer)
	if !c.Until.IsZero() {
		left := c.Until.Sub(m.Now()).Round(time.Second)
		life := c.Until.UTC().Format(time.RFC3339)
		if left > 0 {
			life += ", for another " + left.String()
		} else {
			life = "expired at " + life
		}
		row("until", life)
	}
	row("but", strings.TrimSuffix(c.Problem, "."))
}
