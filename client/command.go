package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// Errors of a Command, for errors.Is.
var (
	// ErrSignedOut says that the command ended with exit code 3, as "gatehouse
	// token" does when a person has to sign in.
	ErrSignedOut = errors.New("not signed in: run gatehouse login")
	// ErrNoToken says that what a source gave is no token: it is empty, has
	// blanks or more than one line, is not printable ASCII, or is longer than
	// 16,384 characters.
	ErrNoToken = errors.New("the source gave no single printable token")
)

// Limits of a Command.
const (
	defaultTimeout = 30 * time.Second
	// lingering is how long a process that the command left behind may hold on
	// to its output.
	lingering = time.Second
	// opaqueLife is how long a token is kept that does not say when it ends:
	// as long as Claude Code keeps what a helper printed.
	opaqueLife = 5 * time.Minute
	// maxOutput leaves room for the end of the line.
	maxOutput = credential.MaxToken + 2
)

// Command is a Source that runs a program, which prints one token and exits
// with 0. The program gets no input and this program's environment. Its zero
// value runs "gatehouse token".
type Command struct {
	// Args is the program and its arguments, run as they are, by no shell.
	Args []string
	// Timeout is how long the program may take; 0 means 30 seconds.
	Timeout time.Duration
	// Stderr gets what the program says to a person; nil drops it. It never
	// becomes part of an error, because a program may print secrets there.
	Stderr io.Writer
}

// Token runs the program. The token ends when it says itself, being a JWT
// (RFC 7519), and else counts as good for five minutes.
func (c *Command) Token(ctx context.Context) (Token, error) {
	out, err := c.run(ctx)
	if err != nil {
		return Token{}, err
	}
	value := strings.TrimSuffix(strings.TrimSuffix(out, "\n"), "\r")
	if !credential.Printable(secret.New(value)) {
		return Token{}, fmt.Errorf("%s: %w", c.args()[0], ErrNoToken)
	}
	claims, err := credential.ReadClaims(secret.New(value))
	if err != nil || claims.Expires.IsZero() {
		return NewToken(value, time.Now().Add(opaqueLife)), nil
	}
	return NewToken(value, claims.Expires), nil
}

func (c *Command) args() []string {
	if len(c.Args) == 0 {
		return []string{"gatehouse", "token"}
	}
	return c.Args
}

func (c *Command) run(ctx context.Context) (string, error) {
	limit := c.Timeout
	if limit <= 0 {
		limit = defaultTimeout
	}
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	args := c.args()
	out := &bounded{full: cancel}
	cmd := exec.CommandContext(limited, args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = out, c.Stderr, lingering
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case out.over:
		return "", fmt.Errorf("%s printed more than a token: %w", args[0], ErrNoToken)
	case ctx.Err() != nil:
		return "", fmt.Errorf("%s was stopped: %w", args[0], ctx.Err())
	case limited.Err() != nil:
		return "", fmt.Errorf("%s took longer than %s: %w", args[0], limit, limited.Err())
	case errors.As(err, &exit) && exit.ExitCode() == 3:
		return "", ErrSignedOut
	case err != nil && !errors.Is(err, exec.ErrWaitDelay): // what it left behind is not waited for
		return "", fmt.Errorf("%s failed: %w", args[0], err)
	}
	return out.buffer.String(), nil
}

// bounded keeps maxOutput bytes; more than that ends the program.
type bounded struct {
	buffer bytes.Buffer
	over   bool
	full   func()
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.buffer.Len()+len(p) > maxOutput {
		b.over = true
		b.full()
		return 0, io.ErrShortWrite
	}
	return b.buffer.Write(p)
}
