package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/checkup"
	"github.com/gatehouse-dev/gatehouse/internal/claudecode"
	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/login"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// Patient is the machine that is looked at, with everything that a look needs.
// All fields but Root and Door are required, unless they say otherwise.
type Patient struct {
	System, Arch string // as in runtime.GOOS and GOARCH
	Root         string // before absolute paths of the system; "" outside tests
	Home         string // may be empty
	Folder       string // the folder that the person works in; may be empty
	Getenv       func(string) string
	LookPath     func(name string) (string, error)
	Output       func(ctx context.Context, name string, args ...string) (string, error) // of a program, bounded
	Now          func() time.Time

	Profile credential.Profile
	Address string // of the server, as it was named; "": none is known
	Client  *login.Client
	// Recall, Load and Token are of the profile's sign-in: where it was made, what
	// is stored, and a token that is good for a request, renewed if it has to be.
	Recall func() (login.Enrolment, error)
	Load   func(ctx context.Context) (credential.Pair, error)
	Token  func(ctx context.Context) (secret.Text, error)

	UserSettings string // of Claude Code; "" if there is no folder for them
	Managed      string // the folder of managed settings
	Target       func() (claudecode.Target, error)
	SetUp        func(ctx context.Context) error // makes Claude Code use the sign-in
	// Ask says whether a real request is made. It costs a token.
	Ask bool
}

// Examination is a Patient and what was learnt on the way, for later checks.
type Examination struct {
	Patient
	Release string // the system's own name and version
	Server  string // the server's origin
	Claude  string // the version of Claude Code
	mend    map[string]string
	claude  string // the path of Claude Code
	greeted login.Greeting
	door    claudecode.Door // in the settings
	helper  string          // the command of the helper door
	local   bool            // what the settings hold is also needed in the environment: ANTHROPIC_PROFILE alone is set
}

// New begins an examination.
func New(p Patient) *Examination { return &Examination{Patient: p, mend: mends(p.System)} }

// mends are the commands of a system.
func mends(system string) map[string]string {
	switch system {
	case "windows":
		return map[string]string{"install": "irm https://claude.ai/install.ps1 | iex", "clock": "w32tm /resync", "unset": "Remove-Item Env:", "lookup": "nslookup "}
	case "darwin":
		return map[string]string{"install": "curl -fsSL https://claude.ai/install.sh | bash", "clock": "sudo sntp -sS time.apple.com", "unset": "unset ", "lookup": "dscacheutil -q host -a name "}
	}
	return map[string]string{"install": "curl -fsSL https://claude.ai/install.sh | bash", "clock": "sudo timedatectl set-ntp true", "unset": "unset ", "lookup": "getent hosts "}
}

// check is a Check made of a function.
type check struct {
	name, title string
	needs       []string
	run         func(ctx context.Context) Finding
}

func (c check) Name() string                    { return c.name }
func (c check) Title() string                   { return c.title }
func (c check) Needs() []string                 { return c.needs }
func (c check) Run(ctx context.Context) Finding { return c.run(ctx) }

// Names of the checks beside those of package checkup.
const (
	Requirements = "requirements"
	Installation = "installation"
	Certificate  = "certificate"
	Life         = "life"
	Door         = "door"
	Editors      = "editors"
	Background   = "background"
	Settings     = "settings"
	Repository   = "repository"
	Request      = "request"
)

// Checks are all checks, in the order in which they are made.
func (e *Examination) Checks() []Check {
	list := []check{
		{checkup.System, "System", nil, e.system},
		{Requirements, "Requirements", []string{checkup.System}, e.requirements},
		{checkup.Proxy, "Proxy", nil, e.proxy},
		{checkup.Server, "Server", []string{checkup.Proxy}, e.server},
		{checkup.Clock, "Clock", []string{checkup.Server}, e.clock},
		{Certificate, "Certificate", []string{checkup.Server}, e.certificate},
		{checkup.Claude, "Claude Code", []string{checkup.System}, e.claudeCode},
		{Installation, "Installation", []string{checkup.Claude}, e.installation},
		{checkup.Store, "Store", nil, e.store},
		{checkup.SignIn, "Sign-in", []string{checkup.Store}, e.signIn},
		{Life, "Life", []string{checkup.SignIn, checkup.Server}, e.life},
		{Settings, "Settings", nil, e.settings},
		{Door, "Door", []string{checkup.SignIn, Settings}, e.doors},
		{checkup.Credentials, "Credentials", nil, e.credentials},
		{Editors, "Editors", []string{Settings}, e.editors},
		{Background, "Background", []string{Settings}, e.background},
		{Repository, "Repository", nil, e.repository},
		{Request, "Request", []string{checkup.Server, checkup.Clock, Life, Door}, e.request},
	}
	if !e.Ask {
		list = slices.DeleteFunc(list, func(c check) bool { return c.name == Request })
	}
	checks := make([]Check, len(list))
	for i, c := range list {
		checks[i] = c
	}
	return checks
}

func ok(format string, args ...any) Finding { return finding(checkup.OK, "", "", format, args...) }

func warn(code, mend, format string, args ...any) Finding {
	return finding(checkup.Warn, code, mend, format, args...)
}

func fail(code, mend, format string, args ...any) Finding {
	return finding(checkup.Fail, code, mend, format, args...)
}

func finding(state checkup.State, code, mend, format string, args ...any) Finding {
	return Finding{Check: checkup.Check{State: state, Code: code}, Says: fmt.Sprintf(format, args...), Mend: mend}
}

// about names what a finding is about: names of variables and settings alone.
func (f Finding) about(items ...string) Finding { f.Items = items; return f }

// foreign marks what holds words from outside.
func (f Finding) foreign() Finding { f.Foreign = true; return f }

func (f Finding) fixedBy(says string, do func(ctx context.Context) error) Finding {
	f.Fix = &Fix{Says: says, Do: do}
	return f
}

const maxFile = 256 << 10

// read returns a small regular file of the system; empty if it cannot.
func (e *Examination) read(path string) string {
	path = e.at(path)
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return ""
	}
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	b, _ := io.ReadAll(io.LimitReader(f, maxFile)) // what cannot be read is not there
	return string(b)
}

func (e *Examination) at(path string) string {
	if e.Root == "" {
		return path
	}
	return filepath.Join(e.Root, path)
}

func (e *Examination) exists(path string) bool {
	_, err := os.Stat(e.at(path))
	return err == nil
}

// message is an error's sentence for people.
func message(err error) string {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f.Message
	}
	return err.Error()
}

func hint(err error, otherwise string) string {
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Hint != "" {
		return f.Hint
	}
	return otherwise
}
