package main

import (
	"fmt"
	"net"
	"net/url"
	"os"

	"github.com/gatehouse-dev/gatehouse/internal/binding"
	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/login"
)

// profile is the sign-in that is meant: what --profile says, else
// GATEHOUSE_PROFILE, else what the folder is bound to, else the active one. A
// verb that hands out the sign-in refuses a name that the folder's binding
// contradicts, and does without a decision where none can be made.
func (m *Main) profile() (credential.Profile, error) {
	named, by, err := m.named()
	if err != nil || named != "" && m.anyway {
		return named, err
	}
	memory, err := m.memory()
	if err != nil {
		return "", err
	}
	bound, err := m.bound(memory.Dir)
	switch {
	case err != nil:
		return "", err
	case bound != nil && named != "" && bound.Profile.String() != named.String():
		return "", &elsewhere{named: named, by: by, bound: *bound}
	case bound != nil:
		return bound.Profile, nil
	case named != "":
		return named, nil
	}
	return memory.Active()
}

// named is the profile that the command line or the environment names; "" if
// they name none.
func (m *Main) named() (p credential.Profile, by string, err error) {
	name, by, mend := m.profileFlag, "--profile", "gatehouse status --profile work"
	if name == "" {
		name, by, mend = m.Getenv("GATEHOUSE_PROFILE"), "GATEHOUSE_PROFILE", "unset GATEHOUSE_PROFILE"
	}
	if name == "" {
		return "", "", nil
	}
	if p, err = credential.ParseProfile(name); err != nil {
		return "", "", &usageError{message(err), mend}
	}
	return p, by, nil
}

// bound is the binding of the working folder; nil if it has none. Without
// bindings that is found out by looking for one file.
func (m *Main) bound(dir string) (*binding.Bound, error) {
	rules, err := binding.In(dir).Load()
	if err != nil || rules.Empty() {
		return nil, err
	}
	folder, err := os.Getwd()
	if err != nil {
		return nil, fault.New(fault.Invalid, "what is bound to this folder cannot be found out: %w", err).WithHint("cd")
	}
	return rules.For(folder)
}

// said says whether this machine names a profile: the command line, the
// environment or a binding, and not only what is usual.
func (m *Main) said() (bool, error) {
	if named, _, err := m.named(); err != nil || named != "" {
		return named != "", err
	}
	memory, err := m.memory()
	if err != nil {
		return false, err
	}
	bound, err := m.bound(memory.Dir)
	return bound != nil, err
}

// roots is the file of certificates that the profile trusts too, or "".
func (m *Main) roots() string {
	memory, err := m.memory()
	if err != nil {
		return ""
	}
	profile, err := m.profile()
	if err != nil {
		return ""
	}
	known, _ := memory.Recall(profile) // nobody is signed in: none
	return known.CAFile
}

// elsewhere is a profile that was named where another belongs.
type elsewhere struct {
	named credential.Profile
	by    string // --profile or GATEHOUSE_PROFILE
	bound binding.Bound
}

func (e *elsewhere) Error() string {
	return fmt.Sprintf("%s names the profile %s, and here belongs %s, because %s; --anyway uses %[2]s all the same", e.by, e.named, e.bound.Profile, printable(e.bound.Why()))
}

func (e *elsewhere) mend(verb string) string {
	if e.by == "--profile" {
		return verb + " --profile " + e.bound.Profile.String()
	}
	return "unset " + e.by
}

// leadsThere refuses to hand out a token where the environment says that it would
// be sent to another server: a helper's token goes to ANTHROPIC_BASE_URL,
// whichever profile is the active one by now. A proxy on this machine is the
// person's own.
func (m *Main) leadsThere(origin string) error {
	base := m.Getenv("ANTHROPIC_BASE_URL")
	if base == "" || m.anyway || origin == "" {
		return nil
	}
	u, err := url.Parse(base)
	if err == nil && (u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback()) {
		return nil
	}
	to := "another server"
	if err == nil {
		if origin, err := login.ParseServer(u.Scheme + "://" + u.Host); err == nil {
			to = origin
		}
	}
	if to == origin {
		return nil
	}
	profile, err := m.profile()
	if err != nil {
		return err
	}
	return fault.New(fault.Conflict, "ANTHROPIC_BASE_URL leads to %s, and the token of the profile %s belongs to %s alone; --anyway prints it all the same", to, profile, origin).WithHint(m.useFor(to))
}

// useFor is the command that makes the profile of a server the active one.
func (m *Main) useFor(origin string) string {
	memory, err := m.memory()
	if err != nil {
		return "gatehouse use"
	}
	for _, p := range memory.Profiles() {
		if e, err := memory.Recall(p); err == nil && e.Origin == origin {
			return "gatehouse use " + p.String()
		}
	}
	return "gatehouse use"
}
