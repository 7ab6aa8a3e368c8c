package main

import (
	"context"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/keystore"
	"github.com/gatehouse-dev/gatehouse/internal/login"
	"github.com/spf13/cobra"
)

func (m *Main) logoutVerb() *cobra.Command {
	return m.aboutProfile(m.verb("logout", "End the sign-in, at the server and on this machine",
		`The credential and the SDK profile are removed from this machine, also if the
server cannot be told; then a warning says where to end the session later. Other
profiles, settings of Claude Code and the remembered server stay.`, m.logout))
}

func (m *Main) logout(ctx context.Context) error {
	at, err := m.places()
	if err != nil {
		return err
	}
	lockCtx, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	release, err := at.store.Lock(lockCtx, at.profile)
	if err != nil {
		return err
	}
	defer release()
	ours := at.store.Name() != keystore.File || at.sdk.Claim(at.profile, login.ClientID) == nil
	pair, loadErr := at.store.Load(ctx, at.profile)
	if !ours || fault.Is(loadErr, fault.NotFound) {
		m.say("Nobody is signed in here.")
		return m.clear(ctx, at, ours)
	}
	known, err := at.known, at.recall
	if err == nil {
		err = loadErr
	}
	if err == nil {
		revokeCtx, cancel := context.WithTimeout(ctx, revokePatience)
		defer cancel()
		err = m.clientOf(known).Revoke(revokeCtx, pair)
	}
	if err := m.clear(ctx, at, ours); err != nil {
		return err
	}
	if err != nil {
		m.say("gatehouse: warning: signed out on this machine only, because the server could not be told: %s; end the session at %s/sessions",
			printable(message(err)), known.Origin)
		return nil
	}
	m.say("Signed out from %s.", known.Origin)
	return nil
}

// clear removes our files of a profile and nobody else's.
func (m *Main) clear(ctx context.Context, at places, ours bool) error {
	if ours {
		if err := at.store.Delete(ctx, at.profile); err != nil {
			return err
		}
		if _, err := at.sdk.Remove(at.profile, login.ClientID); err != nil {
			return err
		}
	}
	if err := m.dropKept(at.profile); err != nil {
		return err
	}
	return at.memory.Forget(at.profile)
}
