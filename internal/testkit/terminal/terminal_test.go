package terminal_test

import (
	"os/exec"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/testkit/terminal"
)

func start(t *testing.T, script string) *terminal.Terminal {
	t.Helper()
	return terminal.Start(t, exec.Command("sh", "-c", script), 20*time.Second)
}

func TestAConversation(t *testing.T) {
	t.Parallel()
	x := start(t, `test -t 0 && printf 'name? '; read -r name; printf 'hello %s\n' "$name"; exit 3`)
	x.Expect(`name\?$`)
	x.Type("Ada" + terminal.Enter)
	if got := x.Expect(`hello (\w+)`)[1]; got != "Ada" {
		t.Errorf("read %q", got)
	}
	if got := x.Wait(); got != 3 {
		t.Errorf("exit %d", got)
	}
}

func TestTheScreenIsWhatAPersonSees(t *testing.T) {
	t.Parallel()
	// A word in pieces: written, erased, coloured, and joined by a cursor move.
	x := start(t, `printf 'wrong\r\033[2K\033[31muser\033[0m\033[1Ccode\n\033[1A\033[10Cdone'; read -r _`)
	x.Expect(`^user code done$`)
}

func TestTheFirstOfTwoQuestions(t *testing.T) {
	t.Parallel()
	x := start(t, `echo second; read -r _`)
	if got := x.ExpectOne(`fi(rs)t`, `se(co)nd`); got != 1 {
		t.Errorf("saw pattern %d", got)
	}
}
