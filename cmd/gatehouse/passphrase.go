package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/atomicfile"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"golang.org/x/term"
)

const (
	passphraseFile = "GATEHOUSE_PASSPHRASE_FILE"
	minPassphrase  = 8
	maxPassphrase  = 1024
)

// passphrase is that of the sealed storage: what was typed before, or what the
// named file holds. It never asks.
func (m *Main) passphrase(context.Context) (secret.Text, error) {
	if !m.typed.Empty() {
		return m.typed, nil
	}
	path := m.Getenv(passphraseFile)
	if path == "" {
		return secret.Text{}, fault.New(fault.Conflict, "the sealed storage needs its passphrase, and %s names no file", passphraseFile).
			WithHint("export " + passphraseFile + "=/path/of/a/file")
	}
	b, err := atomicfile.ReadPrivate(path, maxPassphrase+2)
	unsafe, odd := errors.AsType[*atomicfile.UnsafeError](err)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return secret.Text{}, fault.New(fault.Conflict, "%s names %s, which is not there", passphraseFile, path).WithHint("unset " + passphraseFile)
	case odd:
		return secret.Text{}, fault.New(fault.Conflict, "%w", unsafe).WithHint(unsafe.Mend)
	case err != nil:
		return secret.Text{}, fmt.Errorf("reading the passphrase: %w", err)
	}
	text := strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r")
	if err := checkPassphrase(text); err != nil {
		return secret.Text{}, fault.New(fault.Conflict, "%s: %w", path, err).WithHint("gatehouse storage list")
	}
	return secret.New(text), nil
}

func checkPassphrase(text string) error {
	if len(text) < minPassphrase || len(text) > maxPassphrase || strings.ContainsAny(text, "\x00\r\n") {
		return fmt.Errorf("a passphrase is one line of %d to %d bytes", minPassphrase, maxPassphrase)
	}
	return nil
}

// askPassphrase asks for the passphrase of the sealed storage at the terminal,
// unless it is known, twice if it is a new one.
func (m *Main) askPassphrase(ctx context.Context, isNew bool) error {
	if !m.typed.Empty() || m.Getenv(passphraseFile) != "" || m.Prompt == nil {
		_, err := m.passphrase(ctx)
		return err
	}
	question := "Passphrase of the sealed storage"
	if isNew {
		question = "New passphrase for the sealed storage"
	}
	first, err := m.Prompt(ctx, question)
	if err != nil {
		return fault.Wrap(fault.Conflict, err, "no passphrase was given").WithHint("gatehouse storage list")
	}
	if err := checkPassphrase(first.Reveal()); err != nil {
		return fault.New(fault.Conflict, "%w", err).WithHint("gatehouse storage list")
	}
	if isNew {
		again, err := m.Prompt(ctx, "The same again")
		if err != nil || !again.Equal(first) {
			return fault.New(fault.Conflict, "the two are not the same").WithHint("gatehouse storage list")
		}
	}
	m.typed = first
	return nil
}

// screenOf says how large the terminal of a file is.
func screenOf(out *os.File) func() (columns, rows int) {
	return func() (columns, rows int) {
		columns, rows, err := term.GetSize(int(out.Fd()))
		if err != nil {
			return 0, 0
		}
		return columns, rows
	}
}
