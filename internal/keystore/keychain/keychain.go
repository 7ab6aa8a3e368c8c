package keychain

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os/exec"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/keystore"
	"github.com/gatehouse-dev/gatehouse/internal/keystore/vault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// Program is where macOS has its program for keychains.
const Program = "/usr/bin/security"

const (
	service = "gatehouse"
	// limit leaves room for a name of 400 bytes, twice, and the rest of the line.
	limit   = 3000
	maxLine = 4000
	maxName = 400
)

// Keychain is the login keychain. Its methods may be called concurrently.
type Keychain struct {
	// Program is the path of security(1).
	Program string
}

var _ vault.Items = Keychain{}

// Kind is keystore.Keychain.
func (k Keychain) Kind() string { return keystore.Keychain }

// Limit is 3,000 bytes.
func (k Keychain) Limit() int { return limit }

// Where names the item as Keychain Access shows it.
func (k Keychain) Where(name string) string {
	return `the item "` + service + `" with the account "` + name + `" in the login keychain`
}

// Get returns an item's value.
func (k Keychain) Get(ctx context.Context, name string) (secret.Text, error) {
	if err := checkName(name); err != nil {
		return secret.Text{}, err
	}
	out, err := k.run(ctx, "", "find-generic-password", "-s", service, "-a", name, "-w")
	if err != nil {
		return secret.Text{}, err
	}
	return secret.New(strings.TrimSuffix(out, "\n")), nil
}

// Set makes or replaces an item.
func (k Keychain) Set(ctx context.Context, name string, value secret.Text) error {
	v := value.Reveal()
	if err := checkName(name); err != nil {
		return err
	}
	if strings.IndexFunc(v, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\'' || r == '\\' }) >= 0 || v == "" {
		return fault.New(fault.Invalid, "the keychain is given a value that is not plain text")
	}
	line := `add-generic-password -U -s "` + service + `" -a "` + name + `" -l "Gatehouse: ` + name + `" -w "` + v + "\"\n"
	if len(line) > maxLine {
		return fault.New(fault.Invalid, "the value is larger than the keychain takes")
	}
	if _, err := k.run(ctx, line, "-i"); err != nil {
		return err
	}
	// The program may say that all is well although the line has failed.
	kept, err := k.Get(ctx, name)
	if fault.Is(err, fault.NotFound) || err == nil && !kept.Equal(value) {
		return fault.New(fault.Unavailable, "the keychain did not keep the credential").WithHint("gatehouse storage list")
	}
	return err
}

// Delete removes an item.
func (k Keychain) Delete(ctx context.Context, name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	_, err := k.run(ctx, "", "delete-generic-password", "-s", service, "-a", name)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// checkName keeps what could end a quotation out of a command line.
func checkName(name string) error {
	odd := strings.IndexFunc(name, func(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\'' || r == '\\' })
	if name == "" || len(name) > maxName || odd >= 0 {
		return fault.New(fault.Invalid, "the keychain cannot have an item of this name")
	}
	return nil
}

const maxOutput = 64 << 10

// run starts the program. What it says on standard error is not repeated: it
// may quote the line that it was given.
func (k Keychain) run(ctx context.Context, stdin string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, k.Program, args...)
	cmd.WaitDelay = time.Second // of a busy machine; the vault does not wait for it
	cmd.Stdin = strings.NewReader(stdin)
	var out bytes.Buffer
	cmd.Stdout = &bounded{to: &out, left: maxOutput}
	err := cmd.Run()
	if ctx.Err() != nil {
		return "", fault.Wrap(fault.Unavailable, ctx.Err(), "the keychain did not answer in time").WithHint("security unlock-keychain")
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return "", explain(exit.ExitCode())
	}
	if err != nil {
		return "", fault.New(fault.Unsupported, "%s cannot be run: %w", k.Program, err).WithHint("gatehouse storage list")
	}
	return out.String(), nil
}

func explain(exit int) error {
	switch exit {
	case 44:
		return fault.New(fault.NotFound, "no credential is stored")
	case 36:
		return fault.New(fault.Unavailable, "the keychain is locked, and nobody can be asked to unlock it here").WithHint("security unlock-keychain")
	case 51, 128:
		return fault.New(fault.Unavailable, "the keychain was not unlocked").WithHint("security unlock-keychain")
	case 37, 50:
		return fault.New(fault.Unsupported, "there is no login keychain").WithHint("gatehouse storage list")
	}
	return fault.New(fault.Unavailable, "the keychain refuses (security answers %d)", exit).WithHint("gatehouse storage list")
}

// bounded keeps the beginning of what is written, and takes the rest.
type bounded struct {
	to   io.Writer
	left int
}

func (b *bounded) Write(p []byte) (int, error) {
	n := min(len(p), b.left)
	b.left -= n
	_, err := b.to.Write(p[:n])
	return len(p), err
}
