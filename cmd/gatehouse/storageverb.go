package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/keystore"
	"github.com/gatehouse-dev/gatehouse/internal/keystore/choice"
	"github.com/gatehouse-dev/gatehouse/internal/keystore/sealed"
	"github.com/gatehouse-dev/gatehouse/internal/login"
	"github.com/spf13/cobra"
)

// StorageList is what "storage list --json" prints. Fields are only ever added.
type StorageList struct {
	Profile  string           `json:"profile"`
	Used     string           `json:"used,omitempty"` // empty: nobody is signed in
	Where    string           `json:"where,omitempty"`
	Why      string           `json:"why,omitempty"`
	Storages []choice.Verdict `json:"storages"` // the safest first
}

func (m *Main) storageVerb() *cobra.Command {
	storage := m.verb("storage", "Show or change where the credential is kept", "One of: gatehouse storage list, move, forget.",
		func(context.Context) error { return &usageError{"it is not said what to do", "gatehouse storage list"} })
	var asJSON bool
	list := m.aboutProfile(m.verb("list", "Show which storages can be used here, and which one is",
		`Each is asked whether it keeps what it is given, for two seconds at most. With
--json one object is printed on standard output: profile, used, where, why,
storages [{kind, usable, why}]. Fields are only ever added.`,
		func(ctx context.Context) error { return m.listStorages(ctx, asJSON) }))
	list.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	move := m.aboutProfile(m.verb("move", "Keep the credential in another storage",
		`It is written there, read back, and only then removed from where it was. If that
is broken off, the sign-in goes on in the one place or the other.`, func(context.Context) error { return nil }))
	move.Use, move.Args = "move NAME", cobra.ExactArgs(1)
	move.RunE = func(c *cobra.Command, args []string) error {
		m.running = true
		return m.moveStorage(c.Context(), args[0])
	}
	forget := m.aboutProfile(m.verb("forget", "Remove from every storage here what is kept of the sign-in",
		`Also what was set aside because it could not be read. The server is not told, so
the session goes on there until it is ended: "gatehouse logout" does both.`, m.forgetStorage))
	storage.AddCommand(list, move, forget)
	return storage
}

func (m *Main) listStorages(ctx context.Context, asJSON bool) error {
	at, err := m.places()
	if err != nil {
		return err
	}
	l := StorageList{Profile: at.profile.String(), Storages: choice.Survey(ctx, m.candidates(ctx))}
	if at.recall == nil {
		l.Used, l.Where, l.Why = at.store.Name(), at.store.Where(at.profile), at.known.StorageWhy
	}
	if asJSON {
		enc := json.NewEncoder(m.Stdout)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		if err := enc.Encode(l); err != nil {
			return fmt.Errorf("printing the storages: %w", err)
		}
		return nil
	}
	for _, v := range l.Storages {
		mark, state := " ", "can be used"
		switch {
		case !v.Usable:
			state = "cannot be used: " + v.Why
		case v.Kind == keystore.File:
			state = "can be used, if it is named"
		}
		if v.Kind == l.Used {
			mark, state = "*", state+"; "+l.Profile+" is in "+l.Where
		}
		fmt.Fprintf(m.Stdout, "%s %-15s %s\n", mark, v.Kind, printable(state))
	}
	return nil
}

func (m *Main) moveStorage(ctx context.Context, kind string) error {
	at, err := m.places()
	if err != nil {
		return err
	}
	if at.recall != nil {
		return at.signedOut(at.recall)
	}
	if kind == at.keptIn() {
		m.say("The credential is in %s already.", kind)
		return nil
	}
	chosen, err := m.storageFor(ctx, at, kind)
	if err != nil {
		return err
	}
	if old, ok := at.store.(*sealed.Store); ok && old.ByPassphrase(at.profile) {
		if err := m.askPassphrase(ctx, false); err != nil {
			return err
		}
	}
	if chosen.Kind == keystore.File {
		if err := at.sdk.Claim(at.profile, login.ClientID); err != nil {
			return err
		}
	}
	home, err := m.ready(ctx, at, chosen.Kind, at.known.Origin)
	if err != nil {
		return err
	}
	return m.transfer(ctx, at, home, "named by storage move")
}

// transfer moves the pair under both locks. The old place counts until the new
// one is remembered.
func (m *Main) transfer(ctx context.Context, at places, home keystore.Home, why string) error {
	release, err := lockBoth(ctx, at.profile, at.store, home)
	if err != nil {
		return err
	}
	defer release()
	pair, err := at.store.Load(ctx, at.profile)
	if err != nil {
		return at.signedOut(err)
	}
	if pair, err = m.copyTo(ctx, at, home, pair); err != nil {
		return err
	}
	next := at.known
	next.Storage, next.StorageWhy = home.Name(), why
	if err := m.replace(ctx, at, home, next, pair); err != nil {
		return err
	}
	m.say("The credential is now in %s: %s", home.Name(), printable(home.Where(at.profile)))
	return nil
}

// copyTo saves the pair and reads it back. An SDK that knows no lock may renew
// the old one meanwhile: then the newer is copied.
func (m *Main) copyTo(ctx context.Context, at places, home keystore.Home, pair credential.Pair) (credential.Pair, error) {
	for range 3 {
		if err := home.Save(ctx, at.profile, pair); err != nil {
			return pair, err
		}
		got, err := home.Load(ctx, at.profile)
		if err != nil {
			return pair, err
		}
		if !got.SameChain(pair) || !got.Access.Equal(pair.Access) {
			break
		}
		now, err := at.store.Load(ctx, at.profile)
		if err != nil || now.SameChain(pair) {
			return pair, err
		}
		pair = now
	}
	return pair, fault.New(fault.Conflict, "the storage %s does not give back what it was given; nothing was changed", home.Name()).WithHint("gatehouse storage list")
}

func (m *Main) forgetStorage(ctx context.Context) error {
	at, err := m.places()
	if err != nil {
		return err
	}
	problem := error(nil)
	for _, c := range m.candidates(ctx) {
		home, err := at.open(m, c.Kind, at.known.Origin)
		if err != nil || c.Kind != at.keptIn() && c.Probe != nil && c.Kind == m.systemKeyring() && c.Probe(ctx) != nil {
			continue // what cannot be used holds nothing of ours, unless it is the one
		}
		if err := m.forgetIn(ctx, at, home); err != nil {
			problem = err
		}
	}
	if problem != nil {
		return problem
	}
	if err := at.memory.Forget(at.profile); err != nil {
		return err
	}
	if at.recall == nil {
		m.say("Nothing of the sign-in is kept here any more. Its session goes on at the server: end it at %s/sessions", at.known.Origin)
	} else {
		m.say("Nothing of the sign-in is kept here any more.")
	}
	return nil
}

func (m *Main) forgetIn(ctx context.Context, at places, home keystore.Home) error {
	if home.Name() == keystore.File {
		if at.sdk.Claim(at.profile, login.ClientID) != nil {
			return nil // another program's
		}
		if _, err := at.sdk.Remove(at.profile, login.ClientID); err != nil {
			return err
		}
	}
	lockCtx, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	release, err := home.Lock(lockCtx, at.profile)
	if err != nil {
		return err
	}
	defer release()
	return home.Forget(ctx, at.profile)
}
