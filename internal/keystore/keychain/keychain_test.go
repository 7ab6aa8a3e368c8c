//go:build unix

package keychain_test

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/keystore"
	"github.com/gatehouse-dev/gatehouse/internal/keystore/keychain"
	"github.com/gatehouse-dev/gatehouse/internal/keystore/keystoretest"
	"github.com/gatehouse-dev/gatehouse/internal/keystore/vault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// There is no Mac here: this test's own binary, called by the name security,
// answers as the real program was seen to, in another process and through the
// same pipes. Its keychain is the folder it lies in.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "security" {
		os.Exit(security(os.Args[1:], os.Stdin, os.Stdout, os.Stderr, filepath.Dir(os.Args[0])))
	}
	// The race detector waits a second at the end of every program, unless told not to.
	_ = os.Setenv("GORACE", "atexit_sleep_ms=0")
	os.Exit(m.Run())
}

func program(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "security")
	if err := os.Symlink(self, path); err != nil {
		t.Fatal(err)
	}
	return path
}

const maxLine = 4095

func security(args []string, in io.Reader, out, errs io.Writer, dir string) int {
	if exit, err := os.ReadFile(filepath.Join(dir, "broken")); err == nil {
		if string(exit) == "hang" {
			select {}
		}
		n, _ := strconv.Atoi(string(exit))
		fmt.Fprintln(errs, "security: "+strings.Join(args, " "))
		return n
	}
	if len(args) == 1 && args[0] == "-i" {
		// A line that is too long is cut, and the rest is another command.
		exit, r := 0, bufio.NewReader(in)
		for {
			line := make([]byte, 0, maxLine)
			var end error
			for len(line) < maxLine && end == nil {
				var b byte
				if b, end = r.ReadByte(); end == nil {
					line = append(line, b)
					if b == '\n' {
						break
					}
				}
			}
			if words := split(strings.TrimSuffix(string(line), "\n")); len(words) > 0 {
				exit = command(words, out, errs, dir)
			} else if len(line) > 0 {
				exit = 0
			}
			if end != nil {
				return exit
			}
		}
	}
	return command(args, out, errs, dir)
}

func split(line string) (words []string) {
	var word strings.Builder
	quote, started := rune(0), false
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '"' || r == '\'':
			quote, started = r, true
		case r == ' ':
			if started {
				words = append(words, word.String())
			}
			word.Reset()
			started = false
		default:
			word.WriteRune(r)
			started = true
		}
	}
	if started {
		words = append(words, word.String())
	}
	return words
}

func command(args []string, out, errs io.Writer, dir string) int {
	option := func(name string) string {
		if i := slices.Index(args, name); i >= 0 && i+1 < len(args) {
			return args[i+1]
		}
		return ""
	}
	item := filepath.Join(dir, "item-"+hex.EncodeToString([]byte(option("-s")+"\x00"+option("-a"))))
	if len(filepath.Base(item)) > 250 {
		return 1
	}
	const missing = "security: SecKeychainSearchCopyNext: The specified item could not be found in the keychain."
	switch args[0] {
	case "add-generic-password":
		if _, err := os.Stat(item); err == nil && !slices.Contains(args, "-U") {
			return 45
		}
		temporary := item + "." + strconv.Itoa(os.Getpid())
		if os.WriteFile(temporary, []byte(option("-w")), 0o600) != nil || os.Rename(temporary, item) != nil {
			return 1
		}
		return 0
	case "find-generic-password":
		b, err := os.ReadFile(item)
		if err != nil {
			fmt.Fprintln(errs, missing)
			return 44
		}
		if args[len(args)-1] != "-w" {
			return 2
		}
		fmt.Fprintln(out, string(b))
		return 0
	case "delete-generic-password":
		if errors.Is(os.Remove(item), os.ErrNotExist) {
			fmt.Fprintln(errs, missing)
			return 44
		}
		fmt.Fprintln(out, "password has been deleted.")
		return 0
	}
	fmt.Fprintf(errs, "security: unknown command %q\n", args[0])
	return 1
}

func TestSuite(t *testing.T) {
	t.Parallel()
	keystoretest.Run(t, func(t *testing.T) keystoretest.Backend {
		path := program(t)
		b := keystoretest.Vault(func() vault.Items { return keychain.Keychain{Program: path} }, t.Name(), t.TempDir())
		b.Dear = true
		return b
	})
}

// The stand-in has the edge that the real one was measured to have: a line of
// 4,096 bytes is cut, and its failure is lost. We stay away from it, and read
// back what we write.
func TestLineLimit(t *testing.T) {
	t.Parallel()
	for length, want := range map[int]int{4094: 44, 4095: 44, 4096: 0, 4097: 1} {
		line := `find-generic-password -s absent -a "` + strings.Repeat("a", 60) + `" -w`
		line = line + strings.Repeat(" ", length-2-len(line)) + "x\n"
		line = strings.Replace(line, " -w", " -q", 1)
		if got := security([]string{"-i"}, strings.NewReader(line), io.Discard, io.Discard, t.TempDir()); got != want {
			t.Errorf("a line of %d bytes: exit %d, want %d", length, got, want)
		}
	}
	k := keychain.Keychain{Program: program(t)}
	name := strings.Repeat("n", 100)
	if err := k.Set(t.Context(), name, secret.New(strings.Repeat("v", k.Limit()))); err != nil {
		t.Errorf("the largest value: %v", err)
	}
	if err := k.Set(t.Context(), name, secret.New(strings.Repeat("v", k.Limit()+1000))); !fault.Is(err, fault.Invalid) {
		t.Errorf("a larger one: %v", err)
	}
}

func TestNamesAndValuesCannotBecomeCommands(t *testing.T) {
	t.Parallel()
	k := keychain.Keychain{Program: program(t)}
	for _, bad := range []string{"", `a" -w "b`, "a\ndelete-generic-password", `a\`, "a'b", "ä", strings.Repeat("x", 401)} {
		if err := k.Set(t.Context(), bad, secret.New("v")); !fault.Is(err, fault.Invalid) {
			t.Errorf("the name %.20q: %v", bad, err)
		}
		if bad != strings.Repeat("x", 401) {
			if err := k.Set(t.Context(), "n", secret.New(bad)); !fault.Is(err, fault.Invalid) {
				t.Errorf("the value %.20q: %v", bad, err)
			}
		}
	}
}

func TestExits(t *testing.T) {
	t.Parallel()
	for exit, want := range map[string]fault.Kind{"36": fault.Unavailable, "51": fault.Unavailable, "128": fault.Unavailable, "37": fault.Unsupported,
		"1": fault.Unavailable, "hang": fault.Unavailable} {
		path := program(t)
		if err := os.WriteFile(filepath.Join(filepath.Dir(path), "broken"), []byte(exit), 0o600); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		err := vault.Probe(t.Context(), keychain.Keychain{Program: path})
		if !fault.Is(err, want) || strings.Contains(err.Error(), "generic-password") {
			t.Errorf("exit %s became %v", exit, err)
		}
		if took := time.Since(begin); took > keystore.BusyPatience+time.Second {
			t.Errorf("exit %s took %s", exit, took)
		}
	}
	if err := vault.Probe(t.Context(), keychain.Keychain{Program: "/nonexistent/security"}); !fault.Is(err, fault.Unsupported) {
		t.Errorf("without the program: %v", err)
	}
}
