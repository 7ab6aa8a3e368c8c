package main

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/checkup"
	"github.com/gatehouse-dev/gatehouse/internal/doctor"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/login"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/spf13/cobra"
)

// Diagnosis is what "doctor --json" prints. Fields are only ever added.
type Diagnosis struct {
	OK       bool             `json:"ok"` // nothing failed
	Program  string           `json:"program"`
	System   string           `json:"system"`
	Arch     string           `json:"arch"`
	Release  string           `json:"release,omitempty"`
	Server   string           `json:"server,omitempty"`
	Claude   string           `json:"claude_version,omitempty"`
	Checks   []doctor.Finding `json:"checks"`
	Reported bool             `json:"reported"`
	Fixed    []string         `json:"fixed,omitempty"` // names of checks that --fix mended
	Bundle   string           `json:"bundle,omitempty"`
}

type doctorFlags struct {
	server, report, bundle       string
	json, fix, dryRun, noRequest bool
}

// bySession is what --report means without a code.
const bySession = "session"

func (m *Main) doctorVerb() *cobra.Command {
	var flags doctorFlags
	c := m.aboutProfile(m.verb("doctor", "Look for what keeps this machine from working with the server",
		`Checks what Claude Code needs of the system, where it is and its version, proxy
variables, the server with its certificate and the clock, the stored sign-in and
whether it is renewed, the settings of Claude Code, what it would prefer to the
sign-in in a terminal, in editors and in processes that no shell starts, settings
that came with the folder and redirect it, and at last a real request, which
costs one token (--no-request leaves it out). A check that needs another which
failed is not made: what fails is a cause. No value of a variable or setting is
shown, and nothing is changed. It works offline.

--fix mends what is harmless to mend, and says what it does; with --dry-run it
only says what it would do. --bundle FILE writes a zip file for whoever helps:
what was found, names of variables, settings without their texts.

With --report CODE the result is told to the server for the Get started page
that shows the code. Without a code the sign-in says whose it is. Names and
versions are sent: no path, no value, nothing secret.

With --json one object is printed on standard output: ok, program, system, arch,
release, server, claude_version, reported, fixed, bundle, and checks [{name,
title, state, code, items, says, mend, because, needs, fixable}] with the states
ok, warn, fail and skip (not made, because of another check). Fields are only
ever added.

Exit code 0 if no check failed, 1 if one did, 3 if a report needs a sign-in, 4 if
a report was to be made and the server cannot be reached.`, func(context.Context) error { return nil }))
	c.Args = cobra.MaximumNArgs(1) // the code, as a word of its own
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) > 0 && flags.report != bySession {
			return fmt.Errorf("unknown command %q for %q", args[0], c.CommandPath())
		}
		m.running = true
		if len(args) > 0 {
			flags.report = args[0]
		}
		return m.doctor(c.Context(), flags)
	}
	c.Flags().StringVar(&flags.server, "server", "", "the server's address (GATEHOUSE_SERVER, or the one used last)")
	c.Flags().BoolVar(&flags.json, "json", false, "print one JSON object")
	c.Flags().StringVar(&flags.report, "report", "", "tell the server what was found, with the code of your Get started page")
	c.Flags().Lookup("report").NoOptDefVal = bySession
	c.Flags().BoolVar(&flags.fix, "fix", false, "mend what is harmless to mend")
	c.Flags().BoolVar(&flags.dryRun, "dry-run", false, "with --fix: say what would be mended, and mend nothing")
	c.Flags().BoolVar(&flags.noRequest, "no-request", false, "do not make a real request")
	c.Flags().StringVar(&flags.bundle, "bundle", "", "write a support file without secrets")
	return c
}

// setupCode is made when it is needed: "token" has no time for it.
var setupCode = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[B-DF-HJ-NP-TV-XZ]{4}-?[B-DF-HJ-NP-TV-XZ]{4}$`)
})

func (m *Main) doctor(ctx context.Context, flags doctorFlags) error {
	at, err := m.places()
	if err != nil {
		return err
	}
	if flags.report != "" && flags.report != bySession {
		flags.report = strings.ToUpper(flags.report)
		if !setupCode().MatchString(flags.report) {
			return &usageError{"the set-up code has eight letters, as the Get started page shows it", "gatehouse doctor --report WDJB-MJHT"}
		}
	}
	if flags.dryRun && !flags.fix {
		return &usageError{"--dry-run belongs to --fix", "gatehouse doctor --fix --dry-run"}
	}
	e := doctor.New(m.patient(at, flags))
	findings := doctor.Examine(ctx, e.Checks())
	fixed, err := m.mendAll(ctx, findings, flags)
	if err != nil {
		return err
	}
	if len(fixed) > 0 { // what is told is what is now
		e = doctor.New(m.patient(at, flags))
		findings = doctor.Examine(ctx, e.Checks())
	}
	d := Diagnosis{Program: m.Version, System: m.System, Arch: m.Arch, Release: e.Release, Server: e.Server, Claude: e.Claude, Checks: findings, Fixed: fixed}
	d.OK = d.verdict() == nil
	if flags.bundle != "" {
		if err := m.bundle(e, findings, flags.bundle); err != nil {
			return err
		}
		d.Bundle = flags.bundle
	}
	problem := error(nil)
	if flags.report != "" {
		problem = m.deliver(ctx, at, e.Address, d, flags)
		d.Reported = problem == nil
	}
	if err := m.show(d, flags.json); err != nil {
		return err
	}
	if problem != nil {
		return problem
	}
	if d.Reported {
		m.say("Told %s what was found. Your Get started page shows it.", d.Server)
	}
	return d.verdict()
}

// verdict is the error of a diagnosis that is not good.
func (d Diagnosis) verdict() error {
	failed, mend := doctor.Failed(d.Checks), "gatehouse doctor --help"
	if len(failed) == 0 {
		return nil
	}
	if failed[0].Mend != "" {
		mend = failed[0].Mend
	}
	return fault.New(fault.Conflict, "%d of %d checks failed", len(failed), len(d.Checks)).WithHint(mend)
}

// report is the part of a diagnosis that travels.
func (d Diagnosis) report() checkup.Report {
	return checkup.Report{Program: checkup.Word(d.Program), System: checkup.Word(d.System), Arch: checkup.Word(d.Arch),
		Release: checkup.Text(d.Release), Claude: checkup.Word(d.Claude), Checks: doctor.Report(d.Checks)}
}

const reportPatience = 20 * time.Second

// deliver tells the server what was found. A token goes to no server but the
// one that gave it.
func (m *Main) deliver(ctx context.Context, at places, address string, d Diagnosis, flags doctorFlags) error {
	ctx, cancel := context.WithTimeout(ctx, reportPatience)
	defer cancel()
	if flags.report != bySession {
		if address == "" {
			return &usageError{"no server is named", "gatehouse doctor --server https://gate.example.com --report " + flags.report}
		}
		origin, err := login.ParseServer(address)
		if err != nil {
			return err
		}
		err = m.client(login.Server{}, at.known.CAFile).Report(ctx, origin, flags.report, secret.Text{}, d.report())
		if f, ok := err.(*fault.Error); ok && f.Kind == fault.NotFound {
			return fault.New(fault.Invalid, "%s", f.Message).WithHint("gatehouse doctor --report, once you are signed in")
		}
		return err
	}
	known := at.known
	if at.recall != nil {
		return at.signedOut(at.recall)
	}
	if origin, err := login.ParseServer(address); err != nil || origin != known.Origin {
		return &usageError{"the sign-in is of another server than the one that is named", "gatehouse doctor --report" + at.profile.Flag()}
	}
	pair, err := m.source(at).Pair(ctx)
	if err != nil {
		return at.signedOut(err)
	}
	return m.clientOf(known).Report(ctx, known.Origin, "", pair.Access, d.report())
}

func (m *Main) show(d Diagnosis, asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(m.Stdout)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		if err := enc.Encode(d); err != nil {
			return fmt.Errorf("printing the diagnosis: %w", err)
		}
		return nil
	}
	for _, f := range d.Checks {
		fmt.Fprintf(m.Stdout, "%-5s %-12s %s\n", f.State, f.Title, printable(f.Says))
		if f.Mend != "" {
			fmt.Fprintf(m.Stdout, "%-5s %-12s run: %s\n", "", "", printable(f.Mend))
		}
	}
	return nil
}
