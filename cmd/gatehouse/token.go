package main

import (
	"context"
	"fmt"

	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/refresh"
	"github.com/spf13/cobra"
)

func (m *Main) tokenVerb() *cobra.Command {
	c := m.withProfile(m.verb("token", "Print an access token, and nothing else, on standard output",
		`The token has at least half of its life left, or, while the server cannot be
reached, at least 60 seconds (half of its life, if that is less). It is renewed
when it has to be, once for all programs that ask at the same moment. Nothing is
asked and no browser is opened, so it can stand in scripts and in the
apiKeyHelper of Claude Code. Exit code 3 says: sign in again.

An agent that runs (gatehouse agent) is asked first. While it is locked there is
no token, with exit code 4.`, m.token))
	c.Flags().BoolVar(&m.wantAgent, "agent", false, "start an agent if none runs (GATEHOUSE_AGENT=on)")
	return c
}

func (m *Main) token(ctx context.Context) error {
	pair, err := m.freshPair(ctx)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(m.Stdout, pair.Access.Reveal()); err != nil {
		return fmt.Errorf("printing the token: %w", err)
	}
	return nil
}

func (m *Main) source(at places) *refresh.Source {
	return &refresh.Source{Profile: at.profile, Store: at.store, Locker: at.store, Now: m.Now, Exchanger: exchanger{m, at}}
}

// exchanger makes a client only when there is something to ask.
type exchanger struct {
	m  *Main
	at places
}

func (e exchanger) Exchange(ctx context.Context, old credential.Pair) (credential.Pair, error) {
	if e.at.recall != nil {
		return credential.Pair{}, e.at.recall
	}
	return e.m.clientOf(e.at.known).Exchange(ctx, old)
}

// signedOut names the profile in what the rooms say without knowing it. Where
// the memory of the sign-in is damaged, that is what is wrong.
func (at places) signedOut(err error) error {
	p := at.profile
	if !fault.Is(err, fault.NotFound) {
		return err
	}
	if at.recall != nil && !fault.Is(at.recall, fault.NotFound) {
		return at.recall
	}
	if p == credential.DefaultProfile {
		return fault.New(fault.Unauthenticated, "you are not signed in")
	}
	return fault.New(fault.Unauthenticated, "you are not signed in with the profile %s", p)
}
