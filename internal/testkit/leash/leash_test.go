package leash_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/testkit/leash"
)

const owner = "GATEHOUSE_LEASH_OWNER"

// As the owner, this process only holds a program and waits to be killed.
func TestMain(m *testing.M) {
	folder := os.Getenv(owner)
	if folder == "" {
		os.Exit(m.Run())
	}
	if _, err := leash.Start(hold(folder)); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("held")
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// hold runs a program that keeps a pipe open for as long as it lives.
func hold(folder string) leash.Options {
	return leash.Options{
		Argv: []string{"sh", "-c", `exec 3>pipe; echo ready >&2; exec sleep 600`}, Dir: folder, Remove: true,
		Ready: func(line string) bool { return strings.HasPrefix(line, "ready") },
	}
}

// pipe makes the folder's pipe and returns what ends when the program has.
func pipe(t *testing.T, folder string) <-chan struct{} {
	t.Helper()
	path := filepath.Join(folder, "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		reader, err := os.Open(path)
		if err != nil {
			return
		}
		defer func() { _ = reader.Close() }()
		_, _ = io.Copy(io.Discard, reader)
	}()
	return ended
}

func TestTheProgramEndsWithItsOwnerHoweverThatEnds(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	ended := pipe(t, folder)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), owner+"="+folder)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stdin.Close() }()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "held\n" {
		t.Fatalf("%q %v", line, err)
	}
	select {
	case <-ended:
		t.Fatal("the program ended before its owner")
	default:
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	<-ended // or the test's own limit
}

func TestStopRemovesTheFolderAndRestKeepsIt(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		end  func(*leash.Program)
		gone bool
	}{"stop": {(*leash.Program).Stop, true}, "rest": {(*leash.Program).Rest, false}} {
		folder := filepath.Join(t.TempDir(), "own")
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		ended := pipe(t, folder)
		program, err := leash.Start(hold(folder))
		if err != nil {
			t.Fatal(err)
		}
		test.end(program)
		<-ended
		if _, err := os.Stat(folder); os.IsNotExist(err) != test.gone {
			t.Errorf("%s: the folder: %v", name, err)
		}
	}
}

func TestAProgramThatEndsFirstIsAnErrorWithItsWords(t *testing.T) {
	t.Parallel()
	o := hold(t.TempDir())
	o.Argv = []string{"sh", "-c", "echo no space left >&2; exit 1"}
	if _, err := leash.Start(o); err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("%v", err)
	}
}
