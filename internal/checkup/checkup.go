package checkup

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// State is how a check came out.
type State string

const (
	OK   State = "ok"
	Warn State = "warn" // it works, and may stop working
	Fail State = "fail" // it does not work
)

// Names of the checks, in the order in which they are made.
const (
	System      = "system"      // is it one that Claude Code and gatehouse run on?
	Server      = "server"      // does it answer, and is it the one it says?
	Clock       = "clock"       // is this machine's close to the server's?
	Proxy       = "proxy"       // are the proxy variables usable?
	Claude      = "claude"      // is Claude Code there, and new enough?
	Credentials = "credentials" // does something outrank the sign-in?
	Store       = "store"       // is what is stored readable, and private?
	SignIn      = "sign_in"     // is somebody signed in?
)

// Names lists the checks in their order.
func Names() []string {
	return []string{System, Server, Clock, Proxy, Claude, Credentials, Store, SignIn}
}

// ofTheSystem are the checks that must not fail before anything else makes
// sense. The others are later steps of a set-up.
var ofTheSystem = map[string]bool{System: true, Server: true, Clock: true, Proxy: true, Store: true}

// Check is one question and its answer.
type Check struct {
	Name  string   `json:"name"`
	State State    `json:"state"`
	Code  string   `json:"code,omitempty"`  // why, unless it is ok: "not_found"
	Items []string `json:"items,omitempty"` // names of variables or settings, never values
}

// Report is what a look found.
type Report struct {
	Program string  `json:"program"`        // the version of the command that looked
	System  string  `json:"system"`         // as in runtime.GOOS
	Arch    string  `json:"arch"`           // as in runtime.GOARCH
	Release string  `json:"release"`        // of the system: "Ubuntu 24.04.1 LTS"; may be empty
	Claude  string  `json:"claude_version"` // empty: it was not found
	Checks  []Check `json:"checks"`
}

// Bounds of a report.
const (
	MaxBytes = 16 << 10
	maxItems = 16
	maxWord  = 64
	maxText  = 80
)

// Decode reads a report. It fails for what is too long, has members that a
// report has not, or holds a word that is not one.
func Decode(raw []byte) (Report, error) {
	var r Report
	if len(raw) > MaxBytes {
		return Report{}, fmt.Errorf("a report has at most %d bytes", MaxBytes)
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&r); err != nil {
		return Report{}, errors.New("a report is a JSON object of the documented shape")
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Report{}, errors.New("there is something after the report")
	}
	return r, r.check()
}

func (r Report) check() error {
	for name, word := range map[string]string{"program": r.Program, "system": r.System, "arch": r.Arch, "claude_version": r.Claude} {
		if !isWord(word) && (word != "" || name != "claude_version") {
			return fmt.Errorf("%s is not a word of at most %d characters", name, maxWord)
		}
	}
	if !isText(r.Release) {
		return fmt.Errorf("release is not a text of at most %d plain characters", maxText)
	}
	if len(r.Checks) == 0 || len(r.Checks) > len(Names()) {
		return errors.New("a report has between one check and all of them")
	}
	seen := map[string]bool{}
	for _, c := range r.Checks {
		if seen[c.Name] {
			return errors.New("a check is there twice")
		}
		seen[c.Name] = true
		if err := c.check(); err != nil {
			return err
		}
	}
	return nil
}

func (c Check) check() error {
	known := false
	for _, name := range Names() {
		known = known || name == c.Name
	}
	switch {
	case !known:
		return errors.New("there is no such check")
	case c.State != OK && c.State != Warn && c.State != Fail:
		return errors.New("a state is ok, warn or fail")
	case c.Code != "" && !isWord(c.Code), c.Code == "" && c.State != OK:
		return errors.New("a check that is not ok has a code that is a word")
	case len(c.Items) > maxItems:
		return fmt.Errorf("a check has at most %d items", maxItems)
	}
	for _, item := range c.Items {
		if !isWord(item) {
			return errors.New("an item is a word")
		}
	}
	return nil
}

// isWord reports whether s is made of what names and versions are made of.
func isWord(s string) bool {
	return s != "" && len(s) <= maxWord && strings.IndexFunc(s, func(r rune) bool { return !inWord(r) }) < 0
}

func inWord(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._+-", r)
}

func isText(s string) bool {
	return len(s) <= maxText && strings.IndexFunc(s, func(r rune) bool { return !inWord(r) && !strings.ContainsRune(" ()/,:", r) }) < 0
}

// Word is s made fit to be a word of a report, by leaving out what no word has.
func Word(s string) string {
	return bound(s, maxWord, inWord)
}

// Text is s made fit to be a text of a report.
func Text(s string) string {
	return strings.TrimSpace(bound(s, maxText, func(r rune) bool { return inWord(r) || strings.ContainsRune(" ()/,:", r) }))
}

func bound(s string, most int, keep func(rune) bool) string {
	s = strings.Map(func(r rune) rune {
		if keep(r) {
			return r
		}
		return -1
	}, s)
	return s[:min(len(s), most)]
}

// Of returns the check of a name.
func (r Report) Of(name string) (Check, bool) {
	for _, c := range r.Checks {
		if c.Name == name {
			return c, true
		}
	}
	return Check{}, false
}

// Passed reports whether the machine itself is fit: nothing failed but what a
// later step of a set-up mends.
func (r Report) Passed() bool {
	for _, c := range r.Checks {
		if c.State == Fail && ofTheSystem[c.Name] {
			return false
		}
	}
	return true
}

// Installed reports whether a Claude Code that works was found.
func (r Report) Installed() bool {
	c, _ := r.Of(Claude)
	return r.Claude != "" && c.State != Fail
}

// Problems are the checks that are not ok, the failed ones first.
func (r Report) Problems() []Check {
	var failed, warned []Check
	for _, c := range r.Checks {
		switch c.State {
		case Fail:
			failed = append(failed, c)
		case Warn:
			warned = append(warned, c)
		}
	}
	return append(failed, warned...)
}

// Failed reports whether any check failed.
func (r Report) Failed() bool {
	p := r.Problems()
	return len(p) > 0 && p[0].State == Fail
}
