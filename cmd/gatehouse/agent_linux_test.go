package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/agent"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/claude"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/gatehoused"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/keyring"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/terminal"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/upstream"
	"github.com/godbus/dbus/v5"
)

// agentTime ends an agent that a test has left behind.
const agentTime = "3m"

// agentMember is a member with a runtime folder, and no agent after the test.
func agentMember(t testing.TB, env ...string) *member {
	t.Helper()
	m := newMember(t)
	run, err := os.MkdirTemp("", "gh-") // short: a socket's path has to fit into 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	m.env = append([]string{"XDG_RUNTIME_DIR=" + run}, env...)
	t.Cleanup(func() {
		m.run("agent", "stop")
		_ = os.RemoveAll(run)
	})
	return m
}

func (m *member) must(args ...string) string {
	m.t.Helper()
	out, said, code := m.run(args...)
	if code != exitOK {
		m.t.Fatalf("gatehouse %s: %d, %s", strings.Join(args, " "), code, said)
	}
	return out
}

func (m *member) agentStatus() (s agent.Status) {
	m.t.Helper()
	if err := json.Unmarshal([]byte(m.must("agent", "status", "--json")), &s); err != nil {
		m.t.Fatal(err)
	}
	return s
}

func (m *member) startAgent(flags ...string) {
	m.t.Helper()
	m.must(append([]string{"agent", "--idle", agentTime}, flags...)...)
}

// Two hundred programs ask one agent for an expired token: one refresh, and one
// answer. Those that ask next cost the server nothing.
func TestTwoHundredProgramsAskOneAgent(t *testing.T) {
	t.Parallel()
	m := agentMember(t)
	m.login()
	old := m.expire(-time.Hour)
	m.startAgent()
	const programs = 200
	shipped := gatehoused.Command(t)
	tokens := make([]string, programs)
	var all sync.WaitGroup
	for i := range programs {
		all.Go(func() {
			var said strings.Builder
			cmd := m.command("token")
			cmd.Path, cmd.Err, cmd.Stderr = shipped, nil, &said
			out, err := cmd.Output()
			if err != nil {
				t.Errorf("program %d: %v, %s", i, err, &said)
			}
			tokens[i] = string(out)
		})
	}
	all.Wait()
	if got := slices.Compact(tokens); len(got) != 1 || strings.TrimSpace(got[0]) == old.Access.Reveal() || strings.Count(got[0], "\n") != 1 {
		t.Errorf("%d different answers", len(got))
	}
	if got := m.server.count("refresh_token"); got != 1 {
		t.Errorf("the refresh token was presented %d times", got)
	}
}

// Many programs start the agent at once: one lives, and all have their token.
func TestManyStartOneAgent(t *testing.T) {
	t.Parallel()
	m := agentMember(t, "GATEHOUSE_AGENT=on")
	m.login()
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			if out, said, code := m.run("token"); code != exitOK || out == "" {
				t.Errorf("%d, %s", code, said)
			}
		})
	}
	all.Wait()
	if s := m.agentStatus(); s.Process == 0 || len(s.Held) != 1 {
		t.Errorf("%+v", s)
	}
}

// An agent that is killed leaves a socket behind: token does without it, the next
// agent takes the socket over, and what is mounted in a container goes on.
func TestAgentIsKilled(t *testing.T) {
	t.Parallel()
	m := agentMember(t)
	m.login()
	m.startAgent()
	shared := strings.TrimSpace(m.must("agent", "socket"))
	first := m.agentStatus().Process
	token := m.must("token")
	if err := syscall.Kill(first, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for m.refused(shared) { // until the kernel has closed what it had
	}
	if got := m.must("token"); got != token {
		t.Error("another token")
	}
	outside := &member{t: t, home: t.TempDir(), cover: m.cover, env: []string{agentSocket + "=" + shared}}
	if _, said, code := outside.run("token"); code != exitUnreachable || !strings.Contains(said, "no agent answers at") {
		t.Errorf("%d, %s", code, said)
	}
	m.startAgent()
	if next := m.agentStatus().Process; next == 0 || next == first {
		t.Errorf("process %d after %d", next, first)
	}
	if got := outside.must("token"); got != token {
		t.Error("another token in the container")
	}
}

// refused reports whether somebody still answers at a socket.
func (m *member) refused(socket string) bool {
	conn, err := net.Dial("unix", socket)
	if err == nil {
		_ = conn.Close()
	}
	return err == nil
}

// The passphrase of a sealed sign-in is typed once; programs that cannot ask have
// tokens while the agent is unlocked, and none when it is locked.
func TestAgentHoldsThePassphrase(t *testing.T) {
	t.Parallel()
	m := agentMember(t)
	passphrase := filepath.Join(m.home, "passphrase")
	if err := os.WriteFile(passphrase, []byte("correct horse\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	m.env = append(m.env, passphraseFile+"="+passphrase)
	m.login()
	m.must("storage", "move", "sealed")
	m.env = m.env[:len(m.env)-1]
	typed := func(text string, args ...string) *terminal.Terminal {
		term := terminal.Start(t, m.command(args...), time.Minute)
		term.Expect(`Passphrase of the sealed storage:`)
		term.Type(text + terminal.Enter)
		return term
	}
	typed("wrong horse", "agent", "--idle", agentTime).Expect(`does not open`)
	if _, said, code := m.run("token"); code != exitUnreachable || !strings.Contains(said, "; run: gatehouse agent unlock\n") {
		t.Errorf("%d, %s", code, said)
	}
	typed("correct horse", "agent", "unlock").Expect(`Unlocked\.`)
	m.must("token")
	terminal.Start(t, m.command("agent", "socket"), time.Minute).Expect(`shared/default/agent.sock`) // asks nothing again
	m.must("agent", "lock")
	if _, said, code := m.run("token"); code != exitUnreachable || !strings.Contains(said, "the agent is locked") {
		t.Errorf("%d, %s", code, said)
	}
	typed("wrong horse", "agent", "unlock").Expect(`does not open`)
	if !m.agentStatus().Locked {
		t.Error("a wrong passphrase opened it")
	}
	typed("correct horse", "agent", "unlock").Expect(`Unlocked\.`)
	m.must("token")
	// Where nobody can be asked, a file has it.
	m.must("agent", "lock")
	m.env = append(m.env, passphraseFile+"="+passphrase)
	m.must("agent", "unlock")
	m.must("token")
}

// The agent follows the screen, and locks when nobody tells any more.
func TestAgentLocksWithTheScreen(t *testing.T) {
	t.Parallel()
	session, system := keyring.Empty(t), keyring.Empty(t)
	m := agentMember(t, "DBUS_SESSION_BUS_ADDRESS="+session.Address, "DBUS_SYSTEM_BUS_ADDRESS="+system.Address)
	m.login()
	m.startAgent("--lock-with-screen")
	m.must("token")
	until := func(locked bool) {
		t.Helper()
		for late := time.Now().Add(30 * time.Second); m.agentStatus().Locked != locked; {
			if time.Now().After(late) {
				t.Fatalf("locked is not %v", locked)
			}
		}
	}
	emit := func(bus *keyring.Bus, name string, body ...any) {
		t.Helper()
		if err := bus.Connect().Emit("/org/test", name, body...); err != nil {
			t.Fatal(err)
		}
	}
	for _, saver := range []string{"org.freedesktop.ScreenSaver", "org.gnome.ScreenSaver"} {
		emit(session, saver+".ActiveChanged", true)
		until(true)
		if _, _, code := m.run("token"); code != exitUnreachable {
			t.Errorf("token while the screen is locked: %d", code)
		}
		emit(session, saver+".ActiveChanged", false)
		until(false)
		m.must("token")
	}
	emit(system, "org.freedesktop.login1.Session.Lock")
	until(true)
	emit(session, "org.freedesktop.ScreenSaver.ActiveChanged", false)
	until(false)
	// Locked by hand, the screen does not open it.
	m.must("agent", "lock")
	emit(session, "org.freedesktop.ScreenSaver.ActiveChanged", true)
	emit(session, "org.freedesktop.ScreenSaver.ActiveChanged", false)
	if !m.agentStatus().Locked {
		t.Error("the screen opened what was locked by hand")
	}
	m.must("agent", "unlock")
	session.Stop()
	until(true)
}

// saver says that the screen is locked.
type saver struct{}

func (saver) GetActive() (bool, *dbus.Error) { return true, nil }

// Where the screen is locked already, the agent begins locked.
func TestAgentBeginsBehindALockedScreen(t *testing.T) {
	t.Parallel()
	bus := keyring.Empty(t)
	conn := bus.Connect()
	if err := conn.Export(saver{}, "/org/gnome/ScreenSaver", "org.gnome.ScreenSaver"); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.RequestName("org.gnome.ScreenSaver", dbus.NameFlagDoNotQueue); err != nil {
		t.Fatal(err)
	}
	m := agentMember(t, "DBUS_SESSION_BUS_ADDRESS="+bus.Address)
	m.login()
	m.startAgent("--lock-with-screen")
	if !m.agentStatus().Locked {
		t.Error("it is open")
	}
}

// Without a bus there is no promise to keep.
func TestAgentWithoutAScreen(t *testing.T) {
	t.Parallel()
	m := agentMember(t)
	m.login()
	if _, said, code := m.run("agent", "--lock-with-screen"); code == exitOK || !strings.Contains(said, "nothing here tells when the screen is locked") {
		t.Errorf("%d, %s", code, said)
	}
	if _, _, code := m.run("agent", "status"); code != exitUnreachable {
		t.Errorf("an agent runs: %d", code)
	}
	m.startAgent()
	if _, said, code := m.run("agent", "--lock-with-screen"); code != exitFailed || !strings.Contains(said, "the agent that runs does not lock with the screen; run: gatehouse agent stop") {
		t.Errorf("%d, %s", code, said)
	}
}

// What renews the sign-in is in no answer, no output, no argument, no environment
// of anybody, and no file but the storage; and the agent cannot be looked into.
func TestAgentKeepsTheRefreshToken(t *testing.T) {
	t.Parallel()
	m := agentMember(t)
	m.login()
	m.startAgent()
	old := m.expire(-time.Hour).Refresh.Reveal()
	shared := strings.TrimSpace(m.must("agent", "socket"))
	said := ""
	for _, args := range [][]string{{"token"}, {"credential", "otel-headers"}, {"agent", "status"}, {"agent", "status", "--json"}, {"agent"}, {"agent", "lock"}, {"token"}, {"agent", "unlock"},
		{"run", "--private", "--", "env"}} {
		out, err, _ := m.run(args...)
		said += out + err
	}
	renewed := m.expire(time.Hour).Refresh.Reveal()
	if old == renewed || renewed == "" {
		t.Fatal("the token was not renewed")
	}
	for _, socket := range []string{shared, filepath.Join(filepath.Dir(filepath.Dir(filepath.Dir(shared))), "agent.sock")} {
		for _, verb := range []string{"token", "status", "share", "unlock", "refresh", "x"} {
			said += converse(t, socket, fmt.Sprintf(`{"v":1,"verb":%q}`, verb)+"\n")
		}
	}
	pid := m.agentStatus().Process
	for _, name := range []string{"cmdline", "environ"} {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, name))
		if err != nil && os.Geteuid() == 0 {
			t.Error(err)
		}
		said += string(b)
	}
	if !strings.Contains(said, `"access_token":"eyJ`) {
		t.Fatal("the agent was not asked")
	}
	for _, secret := range []string{old, renewed, "sk-gate-rt"} {
		if at := strings.Index(said, secret); at >= 0 {
			t.Errorf("it is in …%s…", said[max(0, at-60):at])
		}
	}
	limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", pid))
	if err != nil || !strings.Contains(string(limits), "Max core file size        0                    0") {
		t.Errorf("core files: %v\n%s", err, limits)
	}
	// What is not dumpable belongs to root, whoever runs it.
	if info, err := os.Stat(fmt.Sprintf("/proc/%d/mem", pid)); err != nil || info.Sys().(*syscall.Stat_t).Uid != 0 {
		t.Errorf("its memory: %v", err)
	}
	for _, table := range []string{"tcp", "tcp6", "udp", "udp6"} {
		if open := listening(t, pid, table); open != "" {
			t.Errorf("the agent has a port open: %s", open)
		}
	}
}

func converse(t *testing.T, socket, line string) string {
	t.Helper()
	conn, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte(line)); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	_, _ = b.ReadFrom(conn)
	return b.String()
}

// listening are the listening sockets of a process, as the kernel lists them.
func listening(t *testing.T, pid int, table string) string {
	t.Helper()
	fds, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil || len(fds) == 0 {
		t.Skip("the descriptors of a process that is not dumpable are root's to see")
	}
	rows, err := os.ReadFile("/proc/net/" + table)
	if err != nil {
		return ""
	}
	for _, fd := range fds {
		to, _ := os.Readlink(fd)
		inode := strings.TrimSuffix(strings.TrimPrefix(to, "socket:["), "]")
		for row := range strings.Lines(string(rows)) {
			if f := strings.Fields(row); len(f) > 9 && f[9] == inode && (f[3] == "0A" || strings.HasPrefix(table, "udp")) {
				return row
			}
		}
	}
	return ""
}

// The real ssh and sshd: a shell elsewhere has tokens, no sign-in and nothing on
// its disk, and its socket ends with it.
func TestAgentForwardsOverSSH(t *testing.T) {
	t.Parallel()
	options := sshServer(t)
	m := agentMember(t)
	m.login()
	m.startAgent()
	token := m.must("token")
	gatehouse := gatehoused.Command(t)
	there := t.TempDir()
	on := func(words ...string) (string, string, int) {
		return m.run(append(append([]string{"agent", "forward"}, options...), append([]string{"127.0.0.1", "env", "HOME=" + there, "NO_PROXY=*", "XDG_RUNTIME_DIR="}, words...)...)...)
	}
	if out, said, code := on(gatehouse, "token"); code != exitOK || out != token {
		t.Fatalf("token: %d, %q, %s", code, out, said)
	}
	out, said, code := on(gatehouse, "run", "--", "sh", "-c", `curl -sS -d "{}" -H "authorization: Bearer $ANTHROPIC_AUTH_TOKEN" "$ANTHROPIC_BASE_URL/v1/messages"`)
	if code != exitOK || !strings.Contains(out, "hello") {
		t.Errorf("run: %d, %s%s", code, out, said)
	}
	if _, said, code := on(gatehouse, "agent", "stop"); code != exitFailed || !strings.Contains(said, "gives tokens and nothing else") {
		t.Errorf("stop: %d, %s", code, said)
	}
	if out, _, code := on("sh", "-c", `ls "$GATEHOUSE_AGENT_SOCK"; echo "it's" "a b"; exit 7`); code != 7 || !strings.HasPrefix(out, "/tmp/gatehouse-") || !strings.HasSuffix(out, "it's a b\n") {
		t.Errorf("the command: %d, %q", code, out)
	} else if socket, _, _ := strings.Cut(out, "\n"); exists(socket) {
		t.Errorf("%s is still there", socket)
	}
	left, err := filepath.Glob(filepath.Join(there, "*"))
	hidden, _ := filepath.Glob(filepath.Join(there, ".*"))
	if err != nil || len(left)+len(hidden) > 0 {
		t.Errorf("left behind: %v %v", left, hidden)
	}
	if _, said, code := m.run("agent", "forward", "-oProxyCommand=x"); code == exitOK {
		t.Errorf("an option for a host: %s", said)
	}
	if _, said, code := m.run("agent", "forward", "--", "-oProxyCommand=x"); code != exitUsage || !strings.Contains(said, "is no host") {
		t.Errorf("an option for a host: %d, %s", code, said)
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// sshServer starts an SSH server for this test's user, and returns what a client
// needs to get in.
func sshServer(t *testing.T) (options []string) {
	t.Helper()
	sshd, err := exec.LookPath("/usr/sbin/sshd")
	if err != nil {
		t.Fatal("sshd is missing: run scripts/test-deps")
	}
	if os.Geteuid() == 0 {
		_ = os.MkdirAll("/run/sshd", 0o755) // where sshd keeps nothing, as its package makes it
	}
	dir := t.TempDir()
	for _, name := range []string{"host", "user"} {
		if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(dir, name)).CombinedOutput(); err != nil {
			t.Fatalf("ssh-keygen: %v, %s", err, out)
		}
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	_ = l.Close()
	config := fmt.Sprintf("ListenAddress 127.0.0.1\nPort %d\nHostKey %s/host\nAuthorizedKeysFile %s/user.pub\nStrictModes no\nUsePAM no\nPidFile none\nPermitRootLogin yes\nPasswordAuthentication no\n", port, dir, dir)
	if err := os.WriteFile(filepath.Join(dir, "config"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(sshd, "-D", "-e", "-f", filepath.Join(dir, "config"))
	cmd.Stderr, cmd.SysProcAttr = log, &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if b, err := os.ReadFile(log.Name()); err == nil && t.Failed() {
			t.Logf("sshd:\n%s", b)
		}
	})
	for late := time.Now().Add(30 * time.Second); ; {
		conn, err := net.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			_ = conn.Close()
			break
		}
		if time.Now().After(late) {
			t.Fatal("sshd does not answer")
		}
	}
	for _, o := range []string{fmt.Sprintf("Port=%d", port), "IdentityFile=" + dir + "/user", "IdentitiesOnly=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR"} {
		options = append(options, "-o", o)
	}
	return options
}

// A mounted folder is all that a container needs, and the agent's end and the next
// one's start go through it. One with another user's sign-in variables gets no
// further than to the agent.
func TestAgentInAContainer(t *testing.T) {
	t.Parallel()
	m := agentMember(t)
	m.login()
	m.startAgent()
	token := m.must("token")
	shared := filepath.Dir(strings.TrimSpace(m.must("agent", "socket")))
	inside := newMember(t)
	mounted := filepath.Join(inside.home, "m")
	inside.env = []string{agentSocket + "=" + filepath.Join(mounted, "agent.sock")}
	for range 2 {
		cmd := inside.inNamespace(fmt.Sprintf("mkdir -p %s; mount --bind %s %s", mounted, shared, mounted), "token")
		if out, err := cmd.CombinedOutput(); err != nil || string(out) != token {
			t.Errorf("%v, %s", err, out)
		}
		m.must("agent", "stop")
		m.startAgent()
	}
}

// An agent that cannot start keeps nobody from a token.
func TestAnAgentThatCannotStart(t *testing.T) {
	t.Parallel()
	m := agentMember(t, "GATEHOUSE_AGENT=on")
	m.login()
	blocked := filepath.Join(m.home, "blocked")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	m.env = []string{"GATEHOUSE_AGENT=on", "XDG_RUNTIME_DIR=" + blocked}
	if out, said, code := m.run("token"); code != exitOK || !strings.HasPrefix(out, "ey") || !strings.Contains(said, "gatehouse: warning: the agent did not start: ") {
		t.Errorf("%d, %q, %s", code, out, said)
	}
}

// What ends the program ends gatehouse, for whoever looks closer than a shell.
func TestPrivateProgramEndsByASignal(t *testing.T) {
	t.Parallel()
	m := newMember(t)
	m.login()
	for name, signal := range map[string]syscall.Signal{"TERM": syscall.SIGTERM, "INT": syscall.SIGINT, "HUP": syscall.SIGHUP, "KILL": syscall.SIGKILL} {
		cmd := m.command("run", "--private", "--", "sh", "-c", "kill -"+name+" $$")
		_ = cmd.Run()
		if status := cmd.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != signal {
			t.Errorf("%s: %v", name, cmd.ProcessState)
		}
	}
	// And what is sent to gatehouse reaches the program.
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGUSR1} {
		cmd := m.command("run", "--private", "--", "sh", "-c", `trap "exit 7" TERM INT HUP USR1; echo ready; while :; do read line; done`)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // no terminal
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		_, _ = out.Read(make([]byte, 6))
		_ = cmd.Process.Signal(signal)
		_ = cmd.Wait()
		_ = in.Close()
		if code := cmd.ProcessState.ExitCode(); code != 7 {
			t.Errorf("%v: exit code %d", signal, code)
		}
	}
	ignoring := m.command("run", "--private", "--", "sh", "-c", "kill -HUP $$; echo still here")
	ignoring.Args, ignoring.Path = append([]string{"nohup"}, ignoring.Args...), must(exec.LookPath("nohup"))
	if out, err := ignoring.Output(); err != nil || !strings.Contains(string(out), "still here") {
		t.Errorf("under nohup: %v, %q", err, out)
	}
}

// At a terminal a key that interrupts comes to the program once, and gatehouse
// ends as the program does.
func TestPrivateProgramHasTheTerminal(t *testing.T) {
	t.Parallel()
	m := newMember(t)
	m.login()
	term := terminal.Start(t, m.command("run", "--private", "--", "sh", "-c",
		`n=0; trap 'n=$((n+1)); echo "interrupted $n"' INT; echo ready; while :; do read line && { echo "got $line, $n"; exit 5; }; done`), time.Minute)
	term.Expect(`ready`)
	term.Type(terminal.CtrlC)
	term.Expect(`interrupted 1`)
	term.Type("line" + terminal.Enter)
	term.Expect(`got line, 1`)
	if code := term.Wait(); code != 5 {
		t.Errorf("exit code %d", code)
	}
}

// The real Claude Code works through the private endpoint: a model's answer
// streams, a 401 in the middle of a token's life costs nothing, and what it was
// given is worth nothing afterwards.
func TestClaudeCodeRunsPrivately(t *testing.T) {
	t.Parallel()
	m := newMember(t)
	api := upstream.New(t)
	behind := httputil.NewSingleHostReverseProxy(must(url.Parse(api.URL)))
	behind.FlushInterval = -1
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/v1/messages") || strings.HasPrefix(r.URL.Path, "/v1/models") {
			behind.ServeHTTP(w, r)
		} else {
			m.server.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(front.Close)
	m.server.set(func() { m.server.URL = front.URL })
	m.login()
	first := strings.TrimSpace(m.must("token"))
	api.Respond(func(r *upstream.Request) upstream.Plan {
		if r.Kind == upstream.Messages && strings.HasSuffix(r.Header.Get("Authorization"), first) {
			return upstream.Plan{Status: http.StatusUnauthorized}
		}
		return upstream.Plan{}
	})
	m.env = append(m.env, "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1", "DISABLE_AUTOUPDATER=1", "ANTHROPIC_API_KEY=sk-ant-api03-left-over")
	out := m.must("run", "--private", "--", claude.Program(t), "-p", "hi")
	if strings.TrimSpace(out) != strings.TrimSpace(upstream.Text(12)) {
		t.Errorf("%q", out)
	}
	if len(api.Requests()) < 2 {
		t.Errorf("%d requests", len(api.Requests()))
	}
	for _, r := range api.Requests() {
		if got := r.Header.Get("Authorization"); !strings.HasPrefix(got, "Bearer eyJ") || strings.Contains(fmt.Sprint(r.Header), "one-run-") {
			t.Errorf("%s came with %v", r.Path, r.Header)
		}
	}
	if n := m.server.count("rotated"); n != 1 {
		t.Errorf("renewed %d times", n)
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
