package doctor

import (
	"context"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/gatehouse-dev/gatehouse/internal/checkup"
)

func (e *Examination) system(ctx context.Context) Finding {
	e.Release = e.release(ctx)
	name := e.System + "/" + e.Arch
	if e.Release != "" {
		name = e.Release + ", " + name
	}
	if !slices.Contains([]string{"linux", "darwin", "windows"}, e.System) || !slices.Contains([]string{"amd64", "arm64"}, e.Arch) {
		return fail(checkup.Unsupported, "claude --version", "Claude Code does not run on %s", name)
	}
	return ok("%s", name)
}

// release is the system's own name and version; empty if it does not say.
func (e *Examination) release(ctx context.Context) string {
	switch e.System {
	case "linux":
		return checkup.Text(e.osRelease()["PRETTY_NAME"])
	case "darwin":
		if out, err := e.Output(ctx, "sw_vers", "-productVersion"); err == nil {
			return checkup.Text("macOS " + out)
		}
	case "windows":
		if out, err := e.Output(ctx, "cmd", "/c", "ver"); err == nil {
			return checkup.Text(out)
		}
	}
	return ""
}

// osRelease are the members of os-release(5).
func (e *Examination) osRelease() map[string]string {
	members := map[string]string{}
	for line := range strings.Lines(e.read("/etc/os-release")) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			members[name] = strings.Trim(value, `"'`)
		}
	}
	return members
}

// oldest are the oldest systems that Claude Code runs on, as its documentation
// says: macOS 13, Windows 10 1809 and Server 2019 (build 17763), and these.
var oldest = map[string][2]int{"ubuntu": {20, 4}, "debian": {10, 0}, "alpine": {3, 19}, "darwin": {13, 0}, "windows": {17763, 0}}

const leastMemory = 4 << 30

func (e *Examination) requirements(ctx context.Context) Finding {
	kind, version := e.version()
	if least, known := oldest[kind]; known && version != nil && slices.Compare(version[:], least[:]) < 0 {
		return fail(checkup.Unsupported, "claude doctor", "Claude Code needs %s", map[string]string{"ubuntu": "Ubuntu 20.04 or newer", "debian": "Debian 10 or newer",
			"alpine": "Alpine Linux 3.19 or newer", "darwin": "macOS 13 or newer", "windows": "Windows 10 1809, Windows Server 2019, or newer"}[kind])
	}
	if missing := e.musl(); len(missing) > 0 {
		return fail("missing_libraries", "apk add libgcc libstdc++ ripgrep", "Claude Code needs %s on a system with musl", strings.Join(missing, ", ")).about(missing...)
	}
	if e.isMusl() && e.Getenv("USE_BUILTIN_RIPGREP") != "0" {
		return warn("builtin_ripgrep", "export USE_BUILTIN_RIPGREP=0", "the ripgrep that comes with Claude Code does not run with musl, so search fails").about("USE_BUILTIN_RIPGREP")
	}
	if !e.hasShell() {
		return fail("no_shell", e.mend["install"], "there is neither Bash, Zsh, PowerShell nor CMD, and Claude Code needs one of them")
	}
	// Machines sold as 4 GB show a little less.
	if memory := e.memory(ctx); memory > 0 && memory < leastMemory*9/10 {
		return warn("little_memory", "claude doctor", "this machine has %.1f GB of memory, and Claude Code wants 4", float64(memory)/(1<<30))
	}
	return ok("this machine has what Claude Code needs")
}

var digits = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\d+`) })

// version is the kind of system and its version; nil if it does not say.
func (e *Examination) version() (kind string, version *[2]int) {
	text := e.Release
	kind = e.System
	if e.System == "linux" {
		release := e.osRelease()
		kind, text = release["ID"], release["VERSION_ID"]
	}
	parts := digits().FindAllString(text, 4)
	if e.System == "windows" && len(parts) > 2 { // Microsoft Windows [Version 10.0.19045.1]
		parts = parts[2:]
	}
	if len(parts) == 0 {
		return kind, nil
	}
	version = &[2]int{}
	for i := range min(2, len(parts)) {
		version[i], _ = strconv.Atoi(parts[i]) // digits; of too many it stays 0
	}
	if e.System == "windows" {
		version[1] = 0
	}
	return kind, version
}

func (e *Examination) isMusl() bool {
	found, _ := filepath.Glob(e.at("/lib/ld-musl-*.so.1")) // the pattern is good
	return e.System == "linux" && len(found) > 0 && !e.exists("/lib64/ld-linux-x86-64.so.2") && !e.exists("/lib/ld-linux-aarch64.so.1")
}

func (e *Examination) musl() (missing []string) {
	if !e.isMusl() {
		return nil
	}
	for name, file := range map[string]string{"libgcc": "/usr/lib/libgcc_s.so.1", "libstdc++": "/usr/lib/libstdc++.so.6"} {
		if !e.exists(file) {
			missing = append(missing, name)
		}
	}
	if _, err := e.LookPath("rg"); err != nil {
		missing = append(missing, "ripgrep")
	}
	slices.Sort(missing)
	return missing
}

func (e *Examination) hasShell() bool {
	if e.System == "windows" { // CMD is always there
		return true
	}
	for _, shell := range []string{"bash", "zsh", "sh"} {
		if _, err := e.LookPath(shell); err == nil {
			return true
		}
	}
	return e.exists("/bin/sh")
}

// memory is that of the machine in bytes; 0 if it does not say.
func (e *Examination) memory(ctx context.Context) int64 {
	switch e.System {
	case "linux":
		for line := range strings.Lines(e.read("/proc/meminfo")) {
			if value, ok := strings.CutPrefix(line, "MemTotal:"); ok {
				kilobytes, _ := strconv.ParseInt(digits().FindString(value), 10, 64) // 0 says nothing
				return kilobytes << 10
			}
		}
	case "darwin":
		out, err := e.Output(ctx, "sysctl", "-n", "hw.memsize")
		if err == nil {
			n, _ := strconv.ParseInt(strings.TrimSpace(out), 10, 64) // 0 says nothing
			return n
		}
	}
	return 0
}
