package helper

import (
	"context"
	"fmt"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/patience"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/subprocess"
)

const (
	attempts    = 3
	pause       = 500 * time.Millisecond // before the second attempt; twice that before the third
	noticeAfter = 10 * time.Second
	maxJSON     = 256 << 10
)

// Runner runs scripts and keeps what apiKeyHelper printed. Now and Wait are
// required. Its methods may be called concurrently; it must not be copied after
// first use.
type Runner struct {
	Dir string   // the folder that scripts run in; empty is the working folder
	Env []string // their environment; nil is this process's own
	// Keep is a private folder for what other processes may use too; empty keeps
	// tokens in memory alone.
	Keep string
	// Lifetime is how long a token is kept (see TTL); nil is DefaultTTL.
	Lifetime *time.Duration
	Now      func() time.Time
	Wait     patience.Wait
	// Notice, when not nil, is told every ten seconds how long a script takes. It
	// is called from another goroutine.
	Notice func(kind Kind, sofar time.Duration)

	flights flights
	memory  memory
}

// Token returns the token of an apiKeyHelper or the value of a proxyAuthHelper,
// kept or new. It fails with Denied for a script that may not run, Timeout for
// one that hangs, and Invalid for one that fails or prints something else; the
// message holds the end of the script's own complaints, redacted.
func (r *Runner) Token(ctx context.Context, s Script) (secret.Text, error) {
	if err := s.permitted(); err != nil {
		return secret.Text{}, err
	}
	key := s.key()
	if t, ok := r.usable(r.memory.get(key)); ok {
		return t, nil
	}
	asked := r.Now()
	return r.flights.do(ctx, key, func(ctx context.Context) (secret.Text, error) { return r.fetch(ctx, s, key, asked) })
}

// Refused drops a token that a server answered with 401, unless another one has
// taken its place. The next Token runs the script again.
func (r *Runner) Refused(ctx context.Context, s Script, token secret.Text) {
	key := s.key()
	r.memory.drop(key, token)
	release := r.lock(ctx, key)
	defer release()
	if e := r.load(key); e.token().Equal(token) {
		r.remove(key)
	}
}

// Output runs a script that prints something else than a token, once more if it
// fails, and returns what it printed, at most 256 KiB. Nothing is kept.
func (r *Runner) Output(ctx context.Context, s Script) (secret.Text, error) {
	if err := s.permitted(); err != nil {
		return secret.Text{}, err
	}
	return r.try(ctx, s, maxJSON, func(out string) (secret.Text, error) { return secret.New(out), nil })
}

// fetch is the way to a new token for all who wait for it, in this process and others.
func (r *Runner) fetch(ctx context.Context, s Script, key string, asked time.Time) (secret.Text, error) {
	release := r.lock(ctx, key)
	defer release()
	kept := r.load(key)
	if t, ok := r.usable(kept); ok {
		r.memory.put(key, kept)
		return t, nil
	}
	if kept.Failed != "" && kept.at().After(asked) {
		return secret.Text{}, failure(kept.Failed) // it failed while we stood in line
	}
	token, err := r.try(ctx, s, 2*credential.MaxToken, s.read)
	e := entry{At: r.Now().UnixNano(), Token: token.Reveal()}
	switch {
	case fault.Is(err, fault.Invalid), fault.Is(err, fault.Timeout):
		e.Failed = fault.Message(err)
	case err != nil:
		return secret.Text{}, err
	default:
		r.memory.put(key, e)
	}
	r.save(key, e)
	return token, err
}

// try runs a script until it succeeds, at most three times and within its limit.
func (r *Runner) try(ctx context.Context, s Script, most int, read func(string) (secret.Text, error)) (got secret.Text, err error) {
	start := r.Now()
	ctx, stop := r.Wait.Limit(ctx, s.Kind.limit())
	defer stop()
	if r.Notice != nil {
		go r.Wait.Remind(ctx, noticeAfter, func(sofar time.Duration) { r.Notice(s.Kind, sofar) })
	}
	for n := range attempts {
		if n > 0 && r.Wait(ctx, time.Duration(n)*pause) != nil {
			return secret.Text{}, err
		}
		var result subprocess.Result
		result, err = subprocess.Run(ctx, subprocess.Command{Shell: s.Line, Dir: r.Dir, Env: r.Env, MaxStdout: most})
		if err == nil && result.Exit == 0 && !result.Flooded {
			if got, err = read(string(result.Stdout)); err == nil {
				return got, nil
			}
		}
		err = s.failed(result, err, r.Now().Sub(start))
		if !fault.Is(err, fault.Invalid) {
			return secret.Text{}, err
		}
	}
	return secret.Text{}, err
}

// failed says what is wrong with a run, with the script's own words.
func (s Script) failed(r subprocess.Result, err error, took time.Duration) error {
	var what string
	kind := fault.Invalid
	switch {
	case fault.Is(err, fault.Timeout):
		kind, what = fault.Timeout, fmt.Sprintf("did not end within %s", s.Kind.limit())
	case fault.Is(err, fault.Unavailable):
		return fault.Wrap(fault.Unavailable, err, fmt.Sprintf("the %s was interrupted after %s", s.Kind, took.Round(time.Second)))
	case r.Flooded:
		what = "prints without end"
	case fault.Is(err, fault.Invalid):
		what = fault.Message(err)
	case err != nil:
		what = "cannot be run"
	case r.Exit < 0:
		what = "was ended by a signal"
	default:
		what = fmt.Sprintf("failed with exit code %d", r.Exit)
	}
	message := fmt.Sprintf("the %s in %s %s", s.Kind, s.File, what)
	if said := r.Complaint(); said != "" {
		message += ", and says: " + said
	}
	return &fault.Error{Kind: kind, Message: message, Hint: mend, Err: err}
}

const mend = "gatehouse doctor"

func failure(message string) error {
	return &fault.Error{Kind: fault.Invalid, Message: message, Hint: mend}
}
