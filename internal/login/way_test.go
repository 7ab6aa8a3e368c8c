package login

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func TestTheWayIsChosen(t *testing.T) {
	t.Parallel()
	wsl := "Linux version 5.15.90.1-microsoft-standard-WSL2 (oe-user@oe-host)"
	for _, tt := range []struct {
		name   string
		system string
		env    map[string]string
		files  map[string]string
		path   []string
		asked  Way
		no     Way // what the server does not offer
		want   Way
		why    string
	}{
		{name: "a bare machine", want: ByCode, why: "no screen"},
		{name: "X", env: map[string]string{"DISPLAY": ":0"}, want: ByBrowser, why: "has a screen"},
		{name: "Wayland", env: map[string]string{"WAYLAND_DISPLAY": "wayland-0"}, want: ByBrowser, why: "has a screen"},
		{name: "an empty display", env: map[string]string{"DISPLAY": " "}, want: ByCode, why: "no screen"},
		{name: "macOS", system: "darwin", want: ByBrowser, why: "has a screen"},
		{name: "Windows", system: "windows", want: ByBrowser, why: "has a screen"},
		{name: "macOS over SSH", system: "darwin", env: map[string]string{"SSH_CONNECTION": "x"}, want: ByCode, why: "over SSH"},
		{name: "Windows over SSH", system: "windows", env: map[string]string{"SSH_CLIENT": "x"}, want: ByCode, why: "over SSH"},
		{name: "SSH with X forwarding", env: map[string]string{"SSH_TTY": "/dev/pts/1", "DISPLAY": "localhost:10.0"}, want: ByCode, why: "over SSH"},
		{name: "CI", env: map[string]string{"CI": "true", "DISPLAY": ":99"}, want: ByCode, why: "CI is set"},
		{name: "CI=false", env: map[string]string{"CI": "false", "DISPLAY": ":0"}, want: ByBrowser, why: "has a screen"},
		{name: "Docker", files: map[string]string{".dockerenv": ""}, env: map[string]string{"DISPLAY": ":0"}, want: ByCode, why: "container"},
		{name: "Podman", files: map[string]string{"run/.containerenv": ""}, want: ByCode, why: "container"},
		{name: "a pod", env: map[string]string{"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, want: ByCode, why: "container"},
		{name: "nspawn", env: map[string]string{"container": "systemd-nspawn"}, want: ByCode, why: "container"},
		{name: "control groups", files: map[string]string{"proc/1/cgroup": "12:pids:/docker/0123\n"}, want: ByCode, why: "container"},
		{name: "control groups of a machine", files: map[string]string{"proc/1/cgroup": "0::/init.scope\n"}, want: ByCode, why: "no screen"},
		{name: "WSL with wslview", files: map[string]string{"proc/version": wsl}, path: []string{"wslview"}, want: ByBrowser, why: "WSL"},
		{name: "WSL with PowerShell", env: map[string]string{"WSL_DISTRO_NAME": "Ubuntu"}, path: []string{"powershell.exe"}, want: ByBrowser, why: "WSL"},
		{name: "WSL without Windows", files: map[string]string{"proc/version": wsl}, want: ByCode, why: "without a way to open"},
		{name: "WSL with a screen of its own", files: map[string]string{"proc/version": wsl}, env: map[string]string{"DISPLAY": ":0"}, want: ByBrowser, why: "has a screen"},
		{name: "a container in WSL", files: map[string]string{"proc/version": wsl, ".dockerenv": ""}, path: []string{"wslview"}, want: ByCode, why: "container"},
		{name: "wslview without WSL", path: []string{"wslview"}, want: ByCode, why: "no screen"},
		{name: "a browser was asked for over SSH", env: map[string]string{"SSH_TTY": "x"}, asked: ByBrowser, want: ByBrowser, why: "you asked"},
		{name: "a code was asked for", env: map[string]string{"DISPLAY": ":0"}, asked: ByCode, want: ByCode, why: "you asked"},
		{name: "no browser at the server", env: map[string]string{"DISPLAY": ":0"}, no: ByBrowser, want: ByCode, why: "the server offers no"},
		{name: "no code at the server", no: ByCode, want: ByBrowser, why: "the server offers no"},
	} {
		if tt.system == "" {
			tt.system = "linux"
		}
		root := fstest.MapFS{}
		for name, text := range tt.files {
			root[name] = &fstest.MapFile{Data: []byte(text)}
		}
		s := LookAround(tt.system, func(k string) string { return tt.env[k] }, root, func(p string) bool { return slices.Contains(tt.path, p) })
		s.Asked, s.Terminal, s.Browser, s.Code = tt.asked, true, tt.no != ByBrowser, tt.no != ByCode
		if way, why := Choose(s); way != tt.want || !strings.Contains(why, tt.why) {
			t.Errorf("%s: %s, because %s", tt.name, way, why)
		}
	}
}
