package choice

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/keystore"
)

// Candidate is a backend of this machine.
type Candidate struct {
	Kind string
	// Probe finds out whether it can be used; nil: there is nothing to find out.
	Probe func(ctx context.Context) error
}

// Verdict is what is known of a backend. Fields are only ever added: it is
// printed.
type Verdict struct {
	Kind   string `json:"kind"`
	Usable bool   `json:"usable"`
	Why    string `json:"why,omitempty"` // it is not usable
}

// Survey asks all candidates at once. It keeps their order.
func Survey(ctx context.Context, candidates []Candidate) []Verdict {
	verdicts := make([]Verdict, len(candidates))
	var all sync.WaitGroup
	for i, c := range candidates {
		all.Go(func() { verdicts[i] = ask(ctx, c) })
	}
	all.Wait()
	return verdicts
}

// First asks the candidates one after the other until one is usable.
func First(ctx context.Context, candidates []Candidate) []Verdict {
	var verdicts []Verdict
	for _, c := range candidates {
		if c.Kind == keystore.File {
			continue
		}
		v := ask(ctx, c)
		if verdicts = append(verdicts, v); v.Usable {
			break
		}
	}
	return verdicts
}

func ask(ctx context.Context, c Candidate) Verdict {
	if c.Probe == nil {
		return Verdict{Kind: c.Kind, Usable: true}
	}
	ctx, cancel := context.WithTimeout(ctx, keystore.Patience)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- c.Probe(ctx) }()
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		err = fault.New(fault.Unavailable, "it did not answer within %s", keystore.Patience)
	}
	if err == nil {
		return Verdict{Kind: c.Kind, Usable: true}
	}
	return Verdict{Kind: c.Kind, Why: words(err)}
}

func words(err error) string {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f.Message
	}
	return err.Error()
}

// Chosen is a backend and why it is the one, for people.
type Chosen struct{ Kind, Why string }

// Choose decides by what the verdicts say. wanted is the kind that was named by
// what is called named ("--storage"); empty: none was. It fails with
// fault.Invalid for a name that is none, and with fault.Unsupported where what
// was named, or anything at all, cannot be used.
func Choose(verdicts []Verdict, wanted, named string) (Chosen, error) {
	if wanted != "" {
		return choose(verdicts, wanted, named)
	}
	var passed []string
	for _, v := range verdicts {
		if v.Kind == keystore.File {
			continue
		}
		if v.Usable {
			why := "the first that can be used here"
			if len(passed) > 0 {
				why += "; " + strings.Join(passed, "; ")
			}
			return Chosen{v.Kind, why}, nil
		}
		passed = append(passed, v.Kind+": "+v.Why)
	}
	return Chosen{}, fault.New(fault.Unsupported, "this machine has no safe place for the sign-in (%s), so name one: --storage sealed (an encrypted file, with the passphrase in GATEHOUSE_PASSPHRASE_FILE) or --storage file (in the clear, readable by you alone)",
		strings.Join(passed, "; ")).WithHint("gatehouse login --storage sealed")
}

func choose(verdicts []Verdict, wanted, named string) (Chosen, error) {
	i := slices.IndexFunc(verdicts, func(v Verdict) bool { return v.Kind == wanted })
	switch {
	case i < 0:
		return Chosen{}, fault.New(fault.Invalid, "%.40q is no storage of this system (%s)", wanted, strings.Join(Kinds(verdicts), ", ")).WithHint("gatehouse storage list")
	case !verdicts[i].Usable:
		return Chosen{}, fault.New(fault.Unsupported, "the storage %s cannot be used: %s", wanted, verdicts[i].Why).WithHint("gatehouse storage list")
	}
	return Chosen{wanted, fmt.Sprintf("named by %s", named)}, nil
}

// Kinds are the names in the verdicts.
func Kinds(verdicts []Verdict) []string {
	var names []string
	for _, v := range verdicts {
		names = append(names, v.Kind)
	}
	return names
}
