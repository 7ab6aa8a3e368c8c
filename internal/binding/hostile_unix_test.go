//go:build unix

package binding

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

// What a hostile repository holds is not followed, not waited for and not run,
// and is never taken for a repository without remotes.
func TestHostileRepositories(t *testing.T) {
	t.Parallel()
	for name, plant := range map[string]func(dir string){
		"a pipe for a configuration": func(dir string) {
			mkdir(t, dir+"/.git")
			if err := syscall.Mkfifo(dir+"/.git/config", 0o644); err != nil {
				t.Fatal(err)
			}
		},
		"a pipe for a pointer": func(dir string) {
			if err := syscall.Mkfifo(dir+"/.git", 0o644); err != nil {
				t.Fatal(err)
			}
		},
		"a device":              func(dir string) { mkdir(t, dir+"/.git"); _ = os.Symlink("/dev/zero", dir+"/.git/config") },
		"a folder":              func(dir string) { mkdir(t, dir+"/.git/config") },
		"no end":                func(dir string) { write(t, dir+"/.git/config", strings.Repeat("#\n", maxConfig)) },
		"a network path":        func(dir string) { write(t, dir+"/.git", `gitdir: \\evil\share`) },
		"another network path":  func(dir string) { write(t, dir+"/.git", "gitdir: //evil/share") },
		"a network commondir":   func(dir string) { write(t, dir+"/.git/commondir", "//evil/share"); write(t, dir+"/.git/config", "") },
		"no pointer":            func(dir string) { write(t, dir+"/.git", "whatever") },
		"an empty pointer":      func(dir string) { write(t, dir+"/.git", "gitdir: \n") },
		"a section without end": func(dir string) { write(t, dir+"/.git/config", "[remote \"x\n") },
		"an address without end": func(dir string) {
			write(t, dir+"/.git/config", "[remote \"x\"]\nurl = \"https://github.com/acme/x\n")
		},
		"too many remotes": func(dir string) {
			write(t, dir+"/.git/config", strings.Repeat("[remote \"x\"]\nurl = a\n", maxRemotes+1))
		},
	} {
		dir := t.TempDir()
		plant(dir)
		if got, err := Remotes(dir); err == nil {
			t.Errorf("%s: %v", name, got)
		}
		_, err := Rules{}.BindRemote("github.com/acme/*", "acme").For(dir)
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	dir := t.TempDir()
	write(t, dir+"/.git/config", "[include]\n\tpath = ../more\n[core]\n\tfsmonitor = touch "+dir+"/ran\n\tsshCommand = touch "+dir+"/ran\n[alias]\n\turl = x\n")
	write(t, dir+"/more", "[remote \"origin\"]\n\turl = https://github.com/acme/x\n")
	if got, err := Remotes(dir); err != nil || got != nil {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := os.Stat(dir + "/ran"); err == nil {
		t.Error("a program was run")
	}
}
