package main

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/checkup"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/login"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/spf13/cobra"
)

// Diagnosis is what "doctor --json" prints. Fields are only ever added.
type Diagnosis struct {
	OK       bool      `json:"ok"` // nothing failed
	Program  string    `json:"program"`
	System   string    `json:"system"`
	Arch     string    `json:"arch"`
	Release  string    `json:"release,omitempty"`
	Server   string    `json:"server,omitempty"`
	Claude   string    `json:"claude_version,omitempty"`
	Checks   []Finding `json:"checks"`
	Reported bool      `json:"reported"`
}

// Finding is one check, with words for whoever sits at the machine. They stay
// here: a report carries the check alone.
type Finding struct {
	checkup.Check
	Says string `json:"says"`
	Mend string `json:"mend,omitempty"` // the one command
}

type doctorFlags struct {
	server, report string
	json           bool
}

// bySession is what --report means without a code.
const bySession = "session"

func (m *Main) doctorVerb() *cobra.Command {
	var flags doctorFlags
	c := m.withProfile(m.verb("doctor", "Look for what keeps this machine from working with the server",
		`Checks the system, the server and its certificate, the clock, proxy variables,
Claude Code, credentials that Claude Code would prefer, the stored sign-in, and
who is signed in. Nothing is changed, and no value of a variable or setting is
shown. It works offline: then the server's checks fail, and the others do not.

With --report CODE the result is told to the server for the Get started page
that shows the code. Without a code the sign-in says whose it is. Names and
versions are sent: no path, no value, nothing secret.

With --json one object is printed on standard output: ok, program, system, arch,
release, server, claude_version, reported, and checks [{name, state, code, items,
says, mend}] with the states ok, warn and fail. Fields are only ever added.

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
	return c
}

var setupCode = regexp.MustCompile(`^[B-DF-HJ-NP-TV-XZ]{4}-?[B-DF-HJ-NP-TV-XZ]{4}$`)

func (m *Main) doctor(ctx context.Context, flags doctorFlags) error {
	at, err := m.places()
	if err != nil {
		return err
	}
	if flags.report != "" && flags.report != bySession {
		flags.report = strings.ToUpper(flags.report)
		if !setupCode.MatchString(flags.report) {
			return &usageError{"the set-up code has eight letters, as the Get started page shows it", "gatehouse doctor --report WDJB-MJHT"}
		}
	}
	e := &examination{m: m, at: at, mend: mends(m.System)}
	if e.address, err = m.serverFor(at, flags.server); err != nil {
		e.address = ""
	}
	d := e.all(ctx)
	problem := error(nil)
	if flags.report != "" {
		problem = m.deliver(ctx, e, d, flags)
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
	failed, mend := 0, "gatehouse doctor --help"
	for _, f := range d.Checks {
		if f.State != checkup.Fail {
			continue
		}
		if failed++; failed == 1 && f.Mend != "" {
			mend = f.Mend
		}
	}
	if failed == 0 {
		return nil
	}
	return fault.New(fault.Conflict, "%d of %d checks failed", failed, len(d.Checks)).WithHint(mend)
}

// report is the part of a diagnosis that travels.
func (d Diagnosis) report() checkup.Report {
	r := checkup.Report{Program: checkup.Word(d.Program), System: checkup.Word(d.System), Arch: checkup.Word(d.Arch),
		Release: checkup.Text(d.Release), Claude: checkup.Word(d.Claude)}
	for _, f := range d.Checks {
		r.Checks = append(r.Checks, f.Check)
	}
	return r
}

const reportPatience = 20 * time.Second

// deliver tells the server what was found. A token goes to no server but the
// one that gave it.
func (m *Main) deliver(ctx context.Context, e *examination, d Diagnosis, flags doctorFlags) error {
	ctx, cancel := context.WithTimeout(ctx, reportPatience)
	defer cancel()
	if flags.report != bySession {
		if e.address == "" {
			return &usageError{"no server is named", "gatehouse doctor --server https://gate.example.com --report " + flags.report}
		}
		origin, err := login.ParseServer(e.address)
		if err != nil {
			return err
		}
		err = m.client(login.Server{}).Report(ctx, origin, flags.report, secret.Text{}, d.report())
		if f, ok := err.(*fault.Error); ok && f.Kind == fault.NotFound {
			return fault.New(fault.Invalid, "%s", f.Message).WithHint("gatehouse doctor --report, once you are signed in")
		}
		return err
	}
	known := e.at.known
	if e.at.recall != nil {
		return e.at.signedOut(e.at.recall)
	}
	if origin, err := login.ParseServer(e.address); err != nil || origin != known.Origin {
		return &usageError{"the sign-in is of another server than the one that is named", "gatehouse doctor --report" + e.at.profile.Flag()}
	}
	pair, err := m.source(e.at).Pair(ctx)
	if err != nil {
		return e.at.signedOut(err)
	}
	return m.client(known.Server).Report(ctx, known.Origin, "", pair.Access, d.report())
}

// checkTitles are the checks as people read them.
var checkTitles = map[string]string{checkup.System: "System", checkup.Server: "Server", checkup.Clock: "Clock", checkup.Proxy: "Proxy",
	checkup.Claude: "Claude Code", checkup.Credentials: "Credentials", checkup.Store: "Store", checkup.SignIn: "Sign-in"}

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
		fmt.Fprintf(m.Stdout, "%-5s %-12s %s\n", f.State, checkTitles[f.Name], printable(f.Says))
		if f.Mend != "" {
			fmt.Fprintf(m.Stdout, "%-5s %-12s run: %s\n", "", "", printable(f.Mend))
		}
	}
	return nil
}
