package doctor

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/gatehouse-dev/gatehouse/internal/checkup"
)

// oldestClaude is the oldest version of Claude Code that this works with: the
// first that signs in at a gateway.
var oldestClaude = [3]int{2, 1, 195}

var versionText = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^\s*v?(\d{1,5})\.(\d{1,5})\.(\d{1,5})([-+][0-9A-Za-z.+-]{1,30})?\b`)
})

func (e *Examination) claudeCode(ctx context.Context) Finding {
	path, err := e.LookPath("claude")
	if err != nil {
		if native := e.native(); native != "" {
			return fail(checkup.NotFound, `export PATH="$HOME/.local/bin:$PATH"`, "Claude Code is installed at %s, which is not in PATH", native)
		}
		return fail(checkup.NotFound, e.mend["install"], "Claude Code is not installed, or not in PATH")
	}
	e.claude = path
	out, err := e.Output(ctx, "claude", "--version")
	parts := versionText().FindStringSubmatch(out)
	if err != nil || parts == nil {
		return fail(checkup.NotRunning, e.mend["install"], "Claude Code is in PATH, and does not say its version")
	}
	e.Claude = strings.TrimLeft(strings.TrimSpace(parts[0]), "v")
	var version [3]int
	for i := range version {
		version[i], _ = strconv.Atoi(parts[i+1]) // digits, and few of them
	}
	if slices.Compare(version[:], oldestClaude[:]) < 0 {
		return fail(checkup.TooOld, "claude update", "Claude Code %s is older than %d.%d.%d", e.Claude, oldestClaude[0], oldestClaude[1], oldestClaude[2])
	}
	return ok("Claude Code %s", e.Claude)
}

// native is where the installer puts the program; empty if it is not there.
func (e *Examination) native() string {
	if e.Home == "" {
		return ""
	}
	path := filepath.Join(e.Home, ".local", "bin", "claude")
	if e.System == "windows" {
		path += ".exe"
	}
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return ""
	}
	return path
}

// install is one Claude Code on this machine.
type install struct{ path, real, kind string }

func (i install) String() string { return fmt.Sprintf("%s (%s)", i.path, i.kind) }

// installs are all that can be found, the one that runs first.
func (e *Examination) installs() []install {
	separator, names := ":", []string{"claude"}
	if e.System == "windows" {
		separator, names = ";", []string{"claude.exe", "claude.cmd"}
	}
	var list []install
	add := func(path string) {
		info, err := os.Stat(path)
		if err != nil || !info.Mode().IsRegular() || e.System != "windows" && info.Mode().Perm()&0o111 == 0 {
			return
		}
		real, err := filepath.EvalSymlinks(path)
		if err != nil || slices.ContainsFunc(list, func(i install) bool { return i.real == real }) {
			return
		}
		list = append(list, install{path, real, kindOf(filepath.ToSlash(path), filepath.ToSlash(real))})
	}
	add(e.claude)
	for _, dir := range strings.Split(e.Getenv("PATH"), separator) {
		for _, name := range names {
			if filepath.IsAbs(dir) {
				add(filepath.Join(dir, name))
			}
		}
	}
	if e.Home != "" {
		add(filepath.Join(e.Home, ".local", "bin", names[0]))
		add(filepath.Join(e.Home, ".claude", "local", names[0]))
	}
	return list
}

func kindOf(path, real string) string {
	switch {
	case strings.Contains(real, "/node_modules/"):
		return "npm"
	case strings.Contains(real, "/.local/share/claude/") || strings.HasSuffix(path, "/.local/bin/claude"):
		return "native"
	case strings.Contains(real, "/.claude/local/"):
		return "local npm"
	case strings.Contains(real, "/Caskroom/") || strings.Contains(real, "/Cellar/"):
		return "Homebrew"
	case strings.HasPrefix(real, "/nix/"):
		return "Nix"
	}
	return "other"
}

// installation looks for several Claude Codes, of which the wrong one runs, and
// for one that others can replace.
func (e *Examination) installation(context.Context) Finding {
	list := e.installs()
	if len(list) == 0 {
		return ok("found at %s", e.claude)
	}
	first := list[0]
	if open := openToOthers(first.real); open != "" && e.System != "windows" {
		return warn(checkup.Exposed, "chmod go-w "+open, "others can replace the Claude Code that runs, because they can write %s", open)
	}
	if len(list) == 1 {
		return ok("%s, the only one", first)
	}
	var others []string
	mend := "claude doctor"
	for _, other := range list[1:] {
		others = append(others, other.String())
		if other.kind == "npm" || first.kind == "npm" {
			mend = "npm uninstall -g @anthropic-ai/claude-code"
		}
	}
	return warn("several", mend, "%s runs, and there are others, which other programs may start: %s", first, strings.Join(others, ", "))
}

// openToOthers is the program or its folder, if everybody can write there.
func openToOthers(path string) string {
	for _, p := range []string{path, filepath.Dir(path)} {
		if info, err := os.Stat(p); err == nil && info.Mode().Perm()&0o002 != 0 && info.Mode()&os.ModeSticky == 0 {
			return p
		}
	}
	return ""
}
