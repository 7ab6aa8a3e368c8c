package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/checkup"
	"github.com/gatehouse-dev/gatehouse/internal/claudecode"
	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/login"
)

const (
	greetPatience  = 10 * time.Second
	claudePatience = 10 * time.Second
	clockWrong     = 5 * time.Minute
	clockDrifting  = 30 * time.Second
)

// oldestClaude is the oldest version of Claude Code that this works with: the
// first that signs in at a gateway.
var oldestClaude = [3]int{2, 1, 195}

// examination makes the checks of one diagnosis.
type examination struct {
	m       *Main
	at      places
	address string // of the server; empty: none is known
	mend    map[string]string

	d Diagnosis
}

// mends are the commands of a system.
func mends(system string) map[string]string {
	switch system {
	case "windows":
		return map[string]string{"install": "irm https://claude.ai/install.ps1 | iex", "clock": "w32tm /resync", "unset": "Remove-Item Env:"}
	case "darwin":
		return map[string]string{"install": "curl -fsSL https://claude.ai/install.sh | bash", "clock": "sudo sntp -sS time.apple.com", "unset": "unset "}
	}
	return map[string]string{"install": "curl -fsSL https://claude.ai/install.sh | bash", "clock": "sudo timedatectl set-ntp true", "unset": "unset "}
}

func (e *examination) all(ctx context.Context) Diagnosis {
	e.d = Diagnosis{Program: e.m.Version, System: e.m.System, Arch: e.m.Arch}
	e.system(ctx)
	e.server(ctx)
	e.proxy()
	e.claude(ctx)
	e.credentials()
	e.store(ctx)
	e.signIn(ctx)
	e.d.OK = e.d.verdict() == nil
	return e.d
}

func (e *examination) add(name string, state checkup.State, code, mend, format string, args ...any) {
	e.d.Checks = append(e.d.Checks, Finding{Check: checkup.Check{Name: name, State: state, Code: code}, Says: sentence(fmt.Sprintf(format, args...)), Mend: mend})
}

// about names what the last check is about.
func (e *examination) about(items []string) {
	slices.Sort(items)
	items = slices.Compact(items)
	e.d.Checks[len(e.d.Checks)-1].Items = items[:min(len(items), 16)]
}

func (e *examination) system(ctx context.Context) {
	e.d.Release = e.release(ctx)
	name := e.m.System + "/" + e.m.Arch
	if e.d.Release != "" {
		name = e.d.Release + ", " + name
	}
	known := slices.Contains([]string{"linux", "darwin", "windows"}, e.m.System) && slices.Contains([]string{"amd64", "arm64"}, e.m.Arch)
	if !known {
		e.add(checkup.System, checkup.Fail, checkup.Unsupported, "claude --version", "Claude Code does not run on %s", name)
		return
	}
	e.add(checkup.System, checkup.OK, "", "", "%s", name)
}

// release is the system's own name and version; empty if it does not say.
func (e *examination) release(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, claudePatience)
	defer cancel()
	switch e.m.System {
	case "linux":
		b, _ := os.ReadFile("/etc/os-release") // a system without one is nameless
		for line := range strings.Lines(string(b)) {
			if value, ok := strings.CutPrefix(line, "PRETTY_NAME="); ok {
				return checkup.Text(value)
			}
		}
	case "darwin":
		if out, err := e.m.Output(ctx, "sw_vers", "-productVersion"); err == nil {
			return checkup.Text("macOS " + out)
		}
	case "windows":
		if out, err := e.m.Output(ctx, "cmd", "/c", "ver"); err == nil {
			return checkup.Text(out)
		}
	}
	return ""
}

func (e *examination) server(ctx context.Context) {
	if e.address == "" {
		e.add(checkup.Server, checkup.Fail, checkup.Unnamed, "gatehouse doctor --server https://gate.example.com", "no server is named")
		return
	}
	if origin, err := login.ParseServer(e.address); err == nil {
		e.d.Server = origin
	}
	ctx, cancel := context.WithTimeout(ctx, greetPatience)
	defer cancel()
	g, err := e.m.client(login.Server{}).Greet(ctx, e.address)
	again := "gatehouse doctor --server " + e.d.Server
	_, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
	switch {
	case err == nil:
		e.add(checkup.Server, checkup.OK, "", "", "the server answers at %s", e.d.Server)
	case e.d.Server == "":
		e.add(checkup.Server, checkup.Fail, checkup.Unnamed, "gatehouse doctor --server https://gate.example.com", "%s", message(err))
		return
	case untrusted:
		e.add(checkup.Server, checkup.Fail, checkup.Untrusted, "openssl s_client -connect "+hostPort(e.d.Server)+" -showcerts", "%s", message(err))
		return
	case fault.Is(err, fault.Invalid):
		e.add(checkup.Server, checkup.Fail, checkup.NotGatehouse, "gatehouse doctor --server https://gate.example.com", "%s", message(err))
		return
	case strings.Contains(message(err), " answered "):
		e.add(checkup.Server, checkup.Fail, checkup.Unavailable, again, "%s", message(err))
	default:
		e.add(checkup.Server, checkup.Fail, checkup.Unreachable, again, "%s", message(err))
		return
	}
	e.clock(g.Ahead)
}

func hostPort(origin string) string {
	u, err := url.Parse(origin)
	if err != nil {
		return origin
	}
	if u.Port() == "" {
		return u.Host + ":443"
	}
	return u.Host
}

func (e *examination) clock(ahead time.Duration) {
	off, way := ahead.Abs(), "ahead of"
	if ahead < 0 {
		way = "behind"
	}
	switch {
	case off > clockWrong:
		e.add(checkup.Clock, checkup.Fail, checkup.Wrong, e.mend["clock"], "this machine's clock is %s %s the server's, so sign-ins fail", off, way)
	case off > clockDrifting:
		e.add(checkup.Clock, checkup.Warn, checkup.Drifting, e.mend["clock"], "this machine's clock is %s %s the server's", off, way)
	default:
		e.add(checkup.Clock, checkup.OK, "", "", "this machine and the server agree on the time")
	}
}

var proxyNames = []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"}

func (e *examination) proxy() {
	var set, bad []string
	for _, name := range proxyNames {
		value := e.m.Getenv(name)
		if value == "" {
			continue
		}
		set = append(set, name)
		if !strings.Contains(value, "://") {
			value = "http://" + value
		}
		if u, err := url.Parse(value); err != nil || u.Hostname() == "" {
			bad = append(bad, name)
		}
	}
	own, _ := url.Parse(e.d.Server)
	local := own != nil && slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, own.Hostname())
	switch {
	case len(bad) > 0:
		e.add(checkup.Proxy, checkup.Fail, checkup.NoAddress, e.mend["unset"]+bad[0], "%s holds no address of a proxy", strings.Join(bad, ", "))
		e.about(bad)
	case len(set) > 0 && local && e.m.Getenv("NO_PROXY") == "" && e.m.Getenv("no_proxy") == "":
		e.add(checkup.Proxy, checkup.Warn, checkup.InTheWay, "export NO_PROXY="+own.Hostname(), "%s is set, and programs may look there for this machine itself", strings.Join(set, ", "))
		e.about(set)
	case len(set) > 0:
		e.add(checkup.Proxy, checkup.OK, "", "", "requests go through a proxy (%s)", strings.Join(set, ", "))
	default:
		e.add(checkup.Proxy, checkup.OK, "", "", "no proxy is set")
	}
}

var versionText = regexp.MustCompile(`^\s*v?(\d{1,5})\.(\d{1,5})\.(\d{1,5})([-+][0-9A-Za-z.+-]{1,30})?\b`)

func (e *examination) claude(ctx context.Context) {
	if _, err := e.m.LookPath("claude"); err != nil {
		e.add(checkup.Claude, checkup.Fail, checkup.NotFound, e.mend["install"], "Claude Code is not installed, or not in PATH")
		return
	}
	ctx, cancel := context.WithTimeout(ctx, claudePatience)
	defer cancel()
	out, err := e.m.Output(ctx, "claude", "--version")
	parts := versionText.FindStringSubmatch(out)
	if err != nil || parts == nil {
		e.add(checkup.Claude, checkup.Fail, checkup.NotRunning, e.mend["install"], "Claude Code is in PATH, and does not say its version")
		return
	}
	e.d.Claude = strings.TrimLeft(strings.TrimSpace(parts[0]), "v")
	var version [3]int
	for i := range version {
		version[i], _ = strconv.Atoi(parts[i+1]) // digits, and few of them
	}
	if slices.Compare(version[:], oldestClaude[:]) < 0 {
		e.add(checkup.Claude, checkup.Fail, checkup.TooOld, "claude update", "Claude Code %s is older than %d.%d.%d", e.d.Claude, oldestClaude[0], oldestClaude[1], oldestClaude[2])
		return
	}
	e.add(checkup.Claude, checkup.OK, "", "", "Claude Code %s", e.d.Claude)
}

// settingsFiles are the files that Claude Code takes settings from here.
func (e *examination) settingsFiles() []string {
	files := claudecode.ProjectSettings("")
	if s, err := e.m.claudeSettings(e.at); err == nil {
		files = append(files, s.Path)
	}
	return append(files, claudecode.ManagedSettings(claudecode.ManagedFolder(e.m.System)))
}

func (e *examination) credentials() {
	door := claudecode.Helper
	if e.m.Getenv("ANTHROPIC_PROFILE") != "" {
		door = claudecode.Profile
	}
	found, err := claudecode.Rivals(door, e.settingsFiles(), e.m.Getenv)
	switch {
	case len(found) > 0:
		var names, places []string
		for _, c := range found {
			names = append(names, c.Name)
			if c.In == "" {
				places = append(places, c.Name+" in the environment")
			} else {
				places = append(places, c.Name+" in "+c.In)
			}
		}
		mend := e.mend["unset"] + found[0].Name
		if found[0].In != "" {
			mend = "claude doctor"
		}
		e.add(checkup.Credentials, checkup.Warn, checkup.Outranked, mend, "Claude Code prefers other credentials to the sign-in: %s", strings.Join(places, ", "))
		e.about(names)
	case err != nil:
		e.add(checkup.Credentials, checkup.Warn, checkup.Unreadable, "claude doctor", "%s", message(err))
	default:
		e.add(checkup.Credentials, checkup.OK, "", "", "nothing outranks the sign-in")
	}
}

func (e *examination) store(ctx context.Context) {
	_, err := e.at.store.Load(ctx, e.at.profile)
	if err == nil || fault.Is(err, fault.NotFound) {
		if _, err = e.at.memory.Recall(e.at.profile); fault.Is(err, fault.NotFound) {
			err = nil
		}
	}
	f, ok := errors.AsType[*fault.Error](err)
	switch {
	case err == nil:
		e.add(checkup.Store, checkup.OK, "", "", "what is stored is readable by you alone")
	case ok && strings.HasPrefix(f.Hint, "chmod"):
		e.add(checkup.Store, checkup.Fail, checkup.Exposed, f.Hint, "%s", message(err))
	default:
		mend := "gatehouse login" + e.at.profile.Flag()
		if ok && f.Hint != "" {
			mend = f.Hint
		}
		e.add(checkup.Store, checkup.Fail, checkup.Unreadable, mend, "%s", message(err))
	}
}

func (e *examination) signIn(ctx context.Context) {
	s, err := e.m.look(ctx, e.at)
	if err != nil {
		mend := "gatehouse login"
		if e.d.Server != "" {
			mend += " --server " + e.d.Server
		}
		e.add(checkup.SignIn, checkup.Fail, checkup.SignedOut, mend+e.at.profile.Flag(), "nobody is signed in here")
		return
	}
	who := ""
	if s.Identity != nil {
		who = as(credential.Claims{Name: s.Identity.Name, Email: s.Identity.Email})
	}
	e.add(checkup.SignIn, checkup.OK, "", "", "signed in at %s%s", s.Server, who)
}
