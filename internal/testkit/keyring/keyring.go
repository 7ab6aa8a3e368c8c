//go:build linux

package keyring

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// Bus is a session bus.
type Bus struct {
	// Address is for DBUS_SESSION_BUS_ADDRESS.
	Address string
	t       testing.TB
	stop    func()
}

// Stop ends the bus and everything on it.
func (b *Bus) Stop() { b.stop() }

// patience bounds the wait for daemons that do not start.
const patience = 30 * time.Second

// New starts a bus with an unlocked, empty GNOME Keyring.
func New(t testing.TB) *Bus {
	t.Helper()
	b := start(t, `printf 'open sesame' >"$HOME/password"; exec gnome-keyring-daemon --foreground --unlock --components=secrets <"$HOME/password"`, "gnome-keyring-daemon")
	b.await("org.freedesktop.secrets")
	return b
}

// Empty starts a bus on which nobody keeps secrets.
func Empty(t testing.TB) *Bus {
	t.Helper()
	return start(t, "exec cat")
}

// Hanging starts a bus with a Secret Service that takes calls and answers none.
func Hanging(t testing.TB) *Bus {
	t.Helper()
	b := Empty(t)
	conn := b.Connect()
	reply, err := conn.RequestName("org.freedesktop.secrets", dbus.NameFlagDoNotQueue)
	if err != nil || reply != dbus.RequestNameReplyPrimaryOwner {
		t.Fatalf("taking the name of the Secret Service: %v, %v", reply, err)
	}
	conn.Eavesdrop(make(chan *dbus.Message, 1024)) // nobody reads what is asked
	return b
}

// busConfig is that of a session bus that starts no service by itself: the ones
// that are installed on the machine are none of ours.
const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:tmpdir=/tmp</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
`

// start runs a script below dbus-run-session, which ends when the script does,
// and the script when the test does.
func start(t testing.TB, script string, programs ...string) *Bus {
	t.Helper()
	for _, name := range append(programs, "dbus-run-session") {
		if _, err := exec.LookPath(name); err != nil {
			t.Fatalf("%s is missing: run scripts/test-deps", name)
		}
	}
	home, err := os.MkdirTemp("", "gatehouse-bus-") // short: a socket's path has to fit into 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	run := filepath.Join(home, "run")
	if err := os.Mkdir(run, 0o700); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(home, "bus.conf")
	if err := os.WriteFile(config, []byte(busConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("dbus-run-session", "--config-file", config, "--", "sh", "-c", `echo "$$ $DBUS_SESSION_BUS_ADDRESS"; `+script)
	cmd.Env = []string{"HOME=" + home, "PATH=" + os.Getenv("PATH"), "XDG_RUNTIME_DIR=" + run, "XDG_DATA_HOME=" + home,
		"XDG_DATA_DIRS=" + home, "TMPDIR=" + home, "LANG=C.UTF-8"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdin, err := cmd.StdinPipe() // open for as long as the test runs
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid := 0
	stop := sync.OnceFunc(func() {
		_ = stdin.Close()
		if pid > 0 {
			_ = syscall.Kill(pid, syscall.SIGTERM)
		}
		late := time.AfterFunc(5*time.Second, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
		_ = cmd.Wait()
		late.Stop()
		_ = os.RemoveAll(home)
	})
	t.Cleanup(stop)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("dbus-run-session said nothing: %v", err)
	}
	first, address, _ := strings.Cut(strings.TrimSpace(line), " ")
	if pid, err = strconv.Atoi(first); err != nil || address == "" {
		t.Fatalf("dbus-run-session said %q", line)
	}
	return &Bus{Address: address, t: t, stop: stop}
}

// Connect is a connection that ends with the test.
func (b *Bus) Connect() *dbus.Conn {
	b.t.Helper()
	conn, err := dbus.Connect(b.Address)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// await waits until a name has an owner.
func (b *Bus) await(name string) {
	b.t.Helper()
	conn := b.Connect()
	changes := make(chan *dbus.Signal, 16)
	conn.Signal(changes)
	if err := conn.AddMatchSignal(dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, name)); err != nil {
		b.t.Fatal(err)
	}
	var there bool
	if err := conn.BusObject().Call("org.freedesktop.DBus.NameHasOwner", 0, name).Store(&there); err != nil {
		b.t.Fatal(err)
	}
	if there {
		return
	}
	late := time.After(patience)
	for {
		select {
		case s := <-changes: // others are about ourselves
			if s.Name == "org.freedesktop.DBus.NameOwnerChanged" {
				return
			}
		case <-late:
			b.t.Fatalf("nobody became %s", name)
		}
	}
}

// Lock locks the default collection, as a screen lock or a time limit does.
func (b *Bus) Lock() {
	b.t.Helper()
	conn := b.Connect()
	service := conn.Object("org.freedesktop.secrets", "/org/freedesktop/secrets")
	var collection, prompt dbus.ObjectPath
	if err := service.Call("org.freedesktop.Secret.Service.ReadAlias", 0, "default").Store(&collection); err != nil {
		b.t.Fatal(err)
	}
	var locked []dbus.ObjectPath
	if err := service.Call("org.freedesktop.Secret.Service.Lock", 0, []dbus.ObjectPath{collection}).Store(&locked, &prompt); err != nil {
		b.t.Fatal(err)
	}
	if len(locked) != 1 {
		b.t.Fatalf("locked %v, prompt %v", locked, prompt)
	}
}
