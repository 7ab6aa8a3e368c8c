package leash

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Options says what to run.
type Options struct {
	// Argv is the program and its arguments.
	Argv []string
	// Dir is the working folder; Remove says that it goes when the program has ended.
	Dir    string
	Remove bool
	// Env is the whole environment; nil is this process's own.
	Env []string
	// Signal is the name the shell's kill knows ("INT", "TERM"); empty is TERM.
	Signal string
	// Credential is another user to run as, for programs that refuse root.
	Credential *syscall.Credential
	// Ready reports whether a line of the program's standard error says that it serves.
	Ready func(line string) bool
}

// Program is a running program.
type Program struct {
	cmd   *exec.Cmd
	held  io.WriteCloser
	ended chan struct{}
	wait  sync.Once

	mu   sync.Mutex
	tail []string
}

// patience bounds the wait for a program that neither serves nor ends.
const patience = 60 * time.Second

// The program runs beside a read that ends with the pipe. The shell lets go of
// standard error, so that its end is the end of the program. Five seconds after
// the polite signal comes the one that cannot be ignored.
const shell = `
signal=$1 folder=$2 remove=$3
shift 3
"$@" </dev/null &
pid=$!
exec 2>/dev/null
read -r word
kill -"$signal" "$pid"
( sleep 5; kill -KILL "$pid" ) >/dev/null </dev/null &
late=$!
wait "$pid"
kill "$late"
cd /
if [ "$remove" = yes ] && [ "$word" != keep ]; then rm -rf -- "$folder"; fi
`

// Start runs the program and waits until a line of its standard error is Ready.
// It returns an error that carries the last lines when the program ends first
// or is not ready within a minute.
func Start(o Options) (*Program, error) {
	signal, remove := o.Signal, "no"
	if signal == "" {
		signal = "TERM"
	}
	if o.Remove {
		remove = "yes"
	}
	cmd := exec.Command("sh", append([]string{"-c", shell, "sh", signal, o.Dir, remove}, o.Argv...)...)
	cmd.Dir, cmd.Env = o.Dir, o.Env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: o.Credential}
	held, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("opening the leash: %w", err)
	}
	said, err := cmd.StderrPipe()
	if err != nil {
		return nil, fmt.Errorf("reading what it says: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", o.Argv[0], err)
	}
	p := &Program{cmd: cmd, held: held, ended: make(chan struct{})}
	ready := make(chan bool, 1)
	go p.listen(said, o.Ready, ready)
	select {
	case ok := <-ready:
		if ok {
			return p, nil
		}
	case <-time.After(patience):
	}
	p.Stop()
	return nil, fmt.Errorf("%s was not ready after %s:\n%s", o.Argv[0], patience, p.Tail())
}

// listen drains standard error for as long as the program lives, so that the
// program never blocks on it.
func (p *Program) listen(said io.Reader, isReady func(string) bool, ready chan<- bool) {
	defer close(p.ended)
	lines := bufio.NewReader(said)
	waiting := true
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			p.keep(strings.TrimRight(line, "\r\n"))
		}
		if waiting && line != "" && isReady(line) {
			waiting = false
			ready <- true
		}
		if err != nil {
			break
		}
	}
	if waiting {
		ready <- false
	}
}

func (p *Program) keep(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	const most = 50
	p.tail = append(p.tail, line)
	if len(p.tail) > most {
		p.tail = p.tail[len(p.tail)-most:]
	}
}

// Tail returns the last lines of the program's standard error.
func (p *Program) Tail() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.tail, "\n")
}

// Rest ends the program like Stop but keeps its folder, for a later Start on it.
func (p *Program) Rest() {
	_, _ = io.WriteString(p.held, "keep\n")
	p.Stop()
}

// Stop ends the program and waits until it and its folder are gone.
// More calls than one are harmless.
func (p *Program) Stop() {
	_ = p.held.Close()
	<-p.ended
	p.wait.Do(func() { _ = p.cmd.Wait() })
}

// Lookup finds a program by name in PATH and then in the given folders.
func Lookup(name string, folders ...string) (string, bool) {
	if found, err := exec.LookPath(name); err == nil {
		return found, true
	}
	for _, folder := range folders {
		path := folder + string(os.PathSeparator) + name
		if info, err := os.Stat(path); err == nil && !info.IsDir() {
			return path, true
		}
	}
	return "", false
}
