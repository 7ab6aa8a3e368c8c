package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"golang.org/x/term"
)

// keyboard reads what must not be shown from a terminal.
type keyboard struct {
	in, out *os.File
	before  *term.State // as the terminal was when the program began
	late    bool        // a read was left behind, which may yet change the terminal
}

// newKeyboard is nil where there is no terminal.
func newKeyboard(in, out *os.File) *keyboard {
	fd := int(in.Fd())
	if !term.IsTerminal(fd) || !term.IsTerminal(int(out.Fd())) {
		return nil
	}
	before, err := term.GetState(fd)
	if err != nil {
		return nil
	}
	return &keyboard{in: in, out: out, before: before}
}

// ask asks a question and does not show what is typed.
func (k *keyboard) ask(ctx context.Context, question string) (secret.Text, error) {
	if !foreground(int(k.in.Fd())) {
		return secret.Text{}, errors.New("this program runs in the background, where nothing can be typed")
	}
	if question != "" {
		// What is typed the moment the question stands there is not shown either.
		// The read gives the terminal back as it finds it, which is silent, so the
		// end is ours.
		defer k.silence()()
		fmt.Fprintf(k.out, "%s: ", question)
	}
	type answer struct {
		text []byte
		err  error
	}
	done := make(chan answer, 1)
	go func() {
		b, err := term.ReadPassword(int(k.in.Fd()))
		done <- answer{b, err}
	}()
	var a answer
	select {
	case a = <-done:
	case <-ctx.Done(): // the read stays; the terminal must not stay silent
		a.err = ctx.Err()
		k.restore()
		k.late = true
	}
	if question != "" {
		fmt.Fprintln(k.out)
	}
	return secret.New(string(a.text)), a.err
}

// silence shows nothing of what is typed until the end of what it returns, also
// between two questions.
func (k *keyboard) silence() (end func()) {
	if foreground(int(k.in.Fd())) {
		stopEcho(int(k.in.Fd()))
	}
	return k.restore
}

// close puts the terminal right where a read that was left behind may have
// changed it after all.
func (k *keyboard) close() {
	if k.late {
		k.restore()
	}
}

// restore leaves the terminal alone from the background, where the system would
// stop us for it: the shell has put it right by then.
func (k *keyboard) restore() {
	if fd := int(k.in.Fd()); foreground(fd) {
		_ = term.Restore(fd, k.before)
	}
}
