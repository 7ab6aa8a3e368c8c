package login

import (
	"io/fs"
	"strings"
)

// Way is how a person signs in.
type Way string

// The two ways.
const (
	ByBrowser Way = "browser" // on this machine, with a redirect to it
	ByCode    Way = "code"    // confirmed in a browser anywhere
)

// Surroundings is what is known of the place where a sign-in begins. The zero
// Surroundings is a Linux machine without a screen, and a server that offers
// nothing.
type Surroundings struct {
	System         string // as in runtime.GOOS
	Asked          Way    // what the person asked for; "": nothing
	CI             bool   // nobody sits here
	SSH            bool   // the person sits at another machine
	Container      bool   // what is started here has no screen
	WSL            bool   // Linux inside Windows
	WindowsBrowser bool   // with WSL: Windows can be told to open a page
	Display        bool   // an X or Wayland display
	Terminal       bool   // a person reads what is said
	Browser, Code  bool   // the server offers it
}

// Choose decides between the two ways, and says to a person why. What a person
// asked for counts most; what the server does not offer is never chosen while
// it offers the other.
func Choose(s Surroundings) (way Way, why string) {
	way, why = s.prefer()
	switch {
	case way == ByBrowser && !s.Browser && s.Code:
		return ByCode, "the server offers no sign-in through a browser here"
	case way == ByCode && !s.Code && s.Browser:
		return ByBrowser, "the server offers no sign-in by a code"
	}
	return way, why
}

func (s Surroundings) prefer() (Way, string) {
	switch {
	case s.Asked != "":
		return s.Asked, "you asked for it"
	case s.CI:
		return ByCode, "CI is set, so nobody sits at this machine"
	case s.SSH:
		return ByCode, "this shell came over SSH, so a browser here would open on the other machine"
	case s.Container:
		return ByCode, "this is a container, and a browser outside of it would not find the way back in"
	case s.WSL && s.WindowsBrowser:
		return ByBrowser, "this is WSL, and the browser of Windows can be opened from here"
	case s.System == "darwin", s.System == "windows":
		return ByBrowser, "this machine has a screen"
	case s.Display:
		return ByBrowser, "this machine has a screen (DISPLAY or WAYLAND_DISPLAY is set)"
	case s.WSL:
		return ByCode, "this is WSL without a way to open the browser of Windows"
	case !s.Terminal:
		return ByCode, "there is neither a screen nor a terminal here"
	}
	return ByCode, "this machine has no screen (neither DISPLAY nor WAYLAND_DISPLAY is set)"
}

// maxProc bounds what is read of a file that describes the machine.
const maxProc = 64 << 10

// LookAround finds out where it is. get reads the environment, root is the
// machine's file system, and found reports whether a program is there.
func LookAround(system string, get func(string) string, root fs.FS, found func(string) bool) Surroundings {
	s := Surroundings{System: system,
		CI:  set(get("CI")),
		SSH: get("SSH_CONNECTION") != "" || get("SSH_TTY") != "" || get("SSH_CLIENT") != "",
	}
	if system != "linux" {
		return s
	}
	s.Display = strings.TrimSpace(get("DISPLAY")+get("WAYLAND_DISPLAY")) != ""
	s.Container = inContainer(get, root)
	s.WSL = get("WSL_DISTRO_NAME") != "" || strings.Contains(strings.ToLower(peek(root, "proc/version")), "microsoft")
	for _, program := range WindowsOpeners {
		s.WindowsBrowser = s.WindowsBrowser || s.WSL && found(program)
	}
	return s
}

// WindowsOpeners are the programs with which WSL opens a page in Windows, the
// best first.
var WindowsOpeners = []string{"wslview", "powershell.exe", "rundll32.exe"}

func set(value string) bool {
	switch strings.ToLower(value) {
	case "", "0", "false", "no", "off":
		return false
	}
	return true
}

func inContainer(get func(string) string, root fs.FS) bool {
	if set(get("container")) || get("KUBERNETES_SERVICE_HOST") != "" { // systemd-nspawn and podman; a pod
		return true
	}
	for _, mark := range []string{".dockerenv", "run/.containerenv"} {
		if _, err := fs.Stat(root, mark); err == nil {
			return true
		}
	}
	groups := peek(root, "proc/1/cgroup")
	for _, maker := range []string{"docker", "kubepods", "containerd", "libpod", "/lxc"} {
		if strings.Contains(groups, maker) {
			return true
		}
	}
	return false
}

// peek returns the beginning of a file; "" if there is none.
func peek(root fs.FS, name string) string {
	f, err := root.Open(name)
	if err != nil {
		return ""
	}
	defer f.Close()
	b := make([]byte, maxProc)
	n := 0
	for n < len(b) {
		more, err := f.Read(b[n:])
		n += more
		if err != nil || more == 0 {
			break
		}
	}
	return string(b[:n])
}
