package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/diff"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/redact"
	"github.com/gatehouse-dev/gatehouse/internal/settingsfile"
	"github.com/spf13/cobra"
)

// changeFlags are those of every verb that changes files of other programs.
type changeFlags struct{ yes, dryRun, undo bool }

func (f *changeFlags) add(c *cobra.Command) {
	c.Flags().BoolVarP(&f.yes, "yes", "y", false, "do not ask")
	c.Flags().BoolVar(&f.dryRun, "dry-run", false, "print the change as a diff on standard output, and make none")
	c.Flags().BoolVar(&f.undo, "undo", false, "take the change back")
}

// change is how a person wants files to be changed.
type change struct {
	flags changeFlags
	again string // the command itself, without the flags
	mend  string // the command where rights are missing; "" looks at the file
}

// carryOut shows plans, asks, and commits them in their order. shown are texts
// that are no secrets.
func (m *Main) carryOut(how change, shown []string, plans ...settingsfile.Plan) error {
	var changed []settingsfile.Plan
	for _, p := range plans {
		if p.Changed() {
			changed = append(changed, p)
		} else if !how.flags.dryRun {
			m.say("%s is already set up.", p.Path)
		}
	}
	ok, err := m.agreed(how, shown, changed)
	if err != nil || !ok {
		return err
	}
	for _, p := range changed {
		backup, err := m.commit(how, p)
		switch {
		case err != nil:
			return err
		case backup == "":
			m.say("Wrote %s. Take it back with: %s --undo", p.Path, how.again)
		default:
			m.say("Changed %s (a copy is in %s). Take it back with: %s --undo", p.Path, backup, how.again)
		}
	}
	return nil
}

// takeBack undoes what carryOut did to files.
func (m *Main) takeBack(how change, files ...settingsfile.File) error {
	var plans, changed []settingsfile.Plan
	for _, f := range files {
		p, err := f.PlanUndo()
		if err != nil {
			return err
		}
		if plans = append(plans, p); p.Changed() {
			changed = append(changed, p)
		}
	}
	how.again += " --undo"
	ok, err := m.agreed(how, nil, changed)
	if err != nil || !ok {
		return err
	}
	for _, p := range plans {
		backup, err := m.commit(how, p)
		switch {
		case err != nil:
			return err
		case !p.Changed():
			m.say("There was nothing to take back in %s.", p.Path)
		case backup != "":
			m.say("Took our keys out of %s, which was edited meanwhile (a copy is in %s).", p.Path, backup)
		default:
			m.say("Restored %s.", p.Path)
		}
	}
	return nil
}

func (m *Main) commit(how change, p settingsfile.Plan) (string, error) {
	backup, err := p.Commit()
	if errors.Is(err, fs.ErrPermission) {
		mend := how.mend
		if mend == "" {
			mend = "ls -l " + p.Path
		}
		return "", fault.New(fault.Denied, "%s cannot be written by you", p.Path).WithHint(mend)
	}
	return backup, err
}

// agreed shows the changes and reports whether they shall be made.
func (m *Main) agreed(how change, shown []string, changed []settingsfile.Plan) (bool, error) {
	var all strings.Builder
	for _, p := range changed {
		all.WriteString(diff.Unified(unterminal(p.Path), string(p.Before), string(p.After), func(line string) string {
			return unterminal(redact.Line(line, shown...))
		}))
	}
	if how.flags.dryRun {
		_, err := fmt.Fprint(m.Stdout, all.String())
		return false, err
	}
	if len(changed) == 0 {
		return true, nil
	}
	fmt.Fprint(m.Stderr, all.String())
	if how.flags.yes {
		return true, nil
	}
	if !m.Interactive() {
		return false, &usageError{"nobody can be asked here whether to make this change", how.again + " --yes"}
	}
	return m.ask("Make this change?")
}

// ask wants a yes from the person at the terminal. Anything else is a no.
func (m *Main) ask(question string) (bool, error) {
	fmt.Fprintf(m.Stderr, "%s [y/N] ", question)
	line, err := bufio.NewReader(m.Stdin).ReadString('\n')
	if err != nil {
		m.say("")
	}
	switch strings.ToLower(strings.TrimSpace(line)) {
	case "y", "yes":
		return true, nil
	}
	return false, fault.New(fault.Conflict, "nothing was changed").WithHint("gatehouse setup --help")
}

// unterminal drops what could steer a terminal, and keeps the space of a line.
func unterminal(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\t' && (r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069') {
			return '·'
		}
		return r
	}, s)
}
