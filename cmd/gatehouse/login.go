package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/keystore"
	"github.com/gatehouse-dev/gatehouse/internal/keystore/sealed"
	"github.com/gatehouse-dev/gatehouse/internal/login"
	"github.com/gatehouse-dev/gatehouse/internal/sdkprofile"
	"github.com/spf13/cobra"
)

const (
	lockPatience   = 30 * time.Second
	revokePatience = 10 * time.Second
)

type loginFlags struct {
	server, storage            string
	noBrowser, device, browser bool
	noQR, ifNeeded             bool
	port                       int
	roots                      string
	rootsNamed, replaceServer  bool
}

func (m *Main) loginVerb() *cobra.Command {
	var flags loginFlags
	c := m.aboutProfile(m.verb("login", "Sign in at your organization's server",
		`On a machine with a screen a browser opens. Over SSH, in a container, in CI and
without a screen a code is shown that is confirmed in a browser anywhere; why, is
said. --browser and --device choose. Where the browser is on another machine, the
address of the page that it cannot open can be pasted into the terminal.
Afterwards "gatehouse token" prints access tokens. The server is remembered.

The credential is kept in --storage (GATEHOUSE_STORAGE): keychain on macOS,
wincred on Windows, secret-service on Linux; sealed, an encrypted file; or file,
in the clear and readable by you alone. Without it, where it was kept before, or
the first but file that can be used; "gatehouse storage list" shows which.

With file alone there is also an SDK profile: ANTHROPIC_PROFILE=gatehouse
(gatehouse-NAME for another profile) makes Claude Code and every official SDK use
the sign-in by themselves.`, nil))
	c.RunE = func(c *cobra.Command, _ []string) error {
		m.running = true
		flags.rootsNamed = c.Flags().Changed("ca-file")
		return m.login(c.Context(), flags)
	}
	c.Flags().StringVar(&flags.server, "server", "", "the server's address (GATEHOUSE_SERVER, or the one used last)")
	c.Flags().StringVar(&flags.roots, "ca-file", "", "a file of certificates to trust for this server too, kept with the profile; empty forgets it")
	c.Flags().BoolVar(&flags.replaceServer, "replace-server", false, "sign in although another server answers under the name of the one before")
	c.Flags().StringVar(&flags.storage, "storage", "", "where the credential is kept (GATEHOUSE_STORAGE)")
	c.Flags().BoolVar(&flags.ifNeeded, "if-needed", false, "do nothing while there is a sign-in that holds")
	c.Flags().BoolVar(&flags.device, "device", false, "show a code instead of opening a browser")
	c.Flags().BoolVar(&flags.noBrowser, "no-browser", false, "the same as --device")
	c.Flags().BoolVar(&flags.noQR, "no-qr", false, "show no QR code beside the code")
	c.Flags().BoolVar(&flags.browser, "browser", false, "open a browser, whatever is known of this machine")
	c.Flags().IntVar(&flags.port, "port", 0, "with a browser: the port of this machine that it answers to (any that is free)")
	return c
}

func (m *Main) login(ctx context.Context, flags loginFlags) error {
	if err := flags.check(); err != nil {
		return err
	}
	if flags.ifNeeded {
		if _, err := m.freshPair(ctx); err == nil {
			m.say("There is nothing to do: the sign-in holds.")
			return nil
		} else if fault.Is(err, fault.Unavailable) {
			return err // a server that does not answer is not signed in at either
		}
	}
	at, err := m.places()
	if err != nil {
		return err
	}
	address, err := m.serverFor(at, flags.server)
	if err != nil {
		return err
	}
	roots, err := m.rootsFor(at, address, flags)
	if err != nil {
		return err
	}
	client := m.client(login.Server{}, roots)
	if client.Server, err = client.Discover(ctx, address); err != nil {
		return again(err, flags, at.profile)
	}
	server := client.Server
	if err := m.sameServer(at, server, flags); err != nil {
		return err
	}
	chosen, err := m.storageFor(ctx, at, flags.storage)
	if err != nil {
		return err
	}
	if chosen.Kind == keystore.File {
		if err := at.sdk.Claim(at.profile, login.ClientID); err != nil {
			return err
		}
	}
	home, err := m.ready(ctx, at, chosen.Kind, server.Origin)
	if err != nil {
		return err
	}
	pair, err := m.signIn(ctx, client, flags)
	if err != nil {
		return again(err, flags, at.profile)
	}
	next := login.Enrolment{Server: server, SignedIn: m.Now().UTC().Truncate(time.Second), Storage: chosen.Kind, StorageWhy: chosen.Why, CAFile: roots}
	if err := m.keep(ctx, at, home, next, pair); err != nil {
		return err
	}
	m.welcome(at, home, next, pair)
	return nil
}

// again says to repeat the whole command: before the first sign-in no server is
// remembered.
func again(err error, flags loginFlags, p credential.Profile) error {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Hint != "" || flags.server == "" {
		return err
	}
	origin, bad := login.ParseServer(flags.server)
	if bad != nil {
		return err
	}
	return f.WithHint("gatehouse login --server " + origin + p.Flag())
}

// serverFor decides which server is meant: what the person says, else where
// this profile was signed in, else where any was.
func (m *Main) serverFor(at places, flag string) (string, error) {
	if flag != "" {
		return flag, nil
	}
	if named := m.Getenv("GATEHOUSE_SERVER"); named != "" {
		return named, nil
	}
	if at.recall == nil {
		return at.known.Origin, nil
	}
	if last := at.memory.LastServer(); last != "" {
		return last, nil
	}
	return "", &usageError{"no server is named", "gatehouse login --server https://gate.example.com" + at.profile.Flag()}
}

// keep makes the new sign-in the profile's only one. What was there before is
// ended at its server, so that no forgotten session stays behind.
func (m *Main) keep(ctx context.Context, at places, home keystore.Home, next login.Enrolment, pair credential.Pair) error {
	old := at.store
	if fault.Is(at.recall, fault.NotFound) {
		old = home // nobody was signed in, so nobody renews in the other place
	}
	release, err := lockBoth(ctx, at.profile, old, home)
	if err != nil {
		return err
	}
	defer release()
	oldPair, oldErr := m.clearDamage(ctx, at)
	if err := m.replace(ctx, at, home, next, pair); err != nil {
		return err
	}
	if oldErr == nil && at.recall == nil && !oldPair.SameChain(pair) {
		revokeCtx, cancel := context.WithTimeout(ctx, revokePatience)
		defer cancel()
		_ = m.clientOf(at.known).Revoke(revokeCtx, oldPair) // best effort: it may have ended long ago
	}
	return nil
}

// replace puts the pair in its home and removes it from where it was. Whenever
// it is broken off, the old sign-in or the new one is whole.
func (m *Main) replace(ctx context.Context, at places, home keystore.Home, next login.Enrolment, pair credential.Pair) error {
	if home.Name() != keystore.File {
		if err := home.Save(ctx, at.profile, pair); err != nil {
			return err
		}
		if err := at.memory.Remember(at.profile, next); err != nil {
			return err
		}
		if _, err := at.sdk.Remove(at.profile, login.ClientID); err != nil {
			return err
		}
		return m.leave(ctx, at, home)
	}
	steps := []func() error{
		func() error { return home.Save(ctx, at.profile, pair) },
		func() error { return at.memory.Remember(at.profile, next) },
		func() error { return m.publish(at, next, pair) },
	}
	if at.recall != nil || at.known.Origin != next.Origin {
		// Nobody who reads in between may send one server's token to the other.
		steps = append([]func() error{func() error { return home.Delete(ctx, at.profile) }}, steps[1], steps[2], steps[0])
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return m.leave(ctx, at, home)
}

// publish writes the SDK profile, which leads to the credentials file.
func (m *Main) publish(at places, next login.Enrolment, pair credential.Pair) error {
	claims, _ := credential.ReadClaims(pair.Access) // an opaque token names no organization
	return at.sdk.Write(at.profile, sdkprofile.Profile{ClientID: login.ClientID, BaseURL: next.Origin, OrganizationID: claims.Organization})
}

// leave removes the pair from a place that is not its home any more.
func (m *Main) leave(ctx context.Context, at places, home keystore.Home) error {
	if at.store.Name() == home.Name() && at.store.Where(at.profile) == home.Where(at.profile) {
		return nil
	}
	if err := at.store.Delete(ctx, at.profile); err != nil {
		m.say("gatehouse: warning: %s still holds an older credential: %s", printable(at.store.Where(at.profile)), printable(message(err)))
	}
	return nil
}

// clearDamage loads the old pair. What cannot be read is set aside, so that it
// stands in nobody's way and can still be looked at.
func (m *Main) clearDamage(ctx context.Context, at places) (credential.Pair, error) {
	pair, err := at.store.Load(ctx, at.profile)
	if !fault.Is(err, fault.Invalid) {
		return pair, err
	}
	if where, aside := at.store.SetAside(ctx, at.profile); aside == nil {
		m.say("%s. It was set aside: %s", sentence(printable(message(err))), printable(where))
	}
	return credential.Pair{}, err
}

// lockBoth locks a profile in one place or two, always in the same order.
func lockBoth(ctx context.Context, p credential.Profile, a, b keystore.Home) (release func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	if a.Name() > b.Name() {
		a, b = b, a
	}
	first, err := a.Lock(ctx, p)
	if err != nil || a.Name() == b.Name() {
		return first, err
	}
	second, err := b.Lock(ctx, p)
	if err != nil {
		first()
		return nil, err
	}
	return func() { second(); first() }, nil
}

func (m *Main) welcome(at places, home keystore.Home, next login.Enrolment, pair credential.Pair) {
	claims, _ := credential.ReadClaims(pair.Access) // an opaque token names nobody
	m.say("Signed in at %s%s.", next.Origin, as(claims))
	if next.CAFile != "" && m.Getenv("NODE_EXTRA_CA_CERTS") == "" {
		m.say("Claude Code does not know %s: name it in NODE_EXTRA_CA_CERTS too.", printable(next.CAFile))
	}
	if home.Name() == keystore.File {
		m.say("Claude Code and the SDKs use it with ANTHROPIC_PROFILE=%s; to make that lasting, run: gatehouse setup claude-code%s", at.profile.SDKName(), at.profile.Flag())
		return
	}
	m.say("The credential is kept in %s (%s); there is no SDK profile, because an SDK could not read it there.", home.Name(), printable(next.StorageWhy))
	if s, ok := home.(*sealed.Store); ok && s.ByPassphrase(at.profile) && m.Getenv(passphraseFile) == "" {
		m.say("Programs that call gatehouse need the passphrase too: put it into a file of mode 0600 and name that in %s.", passphraseFile)
	}
	m.say("To make Claude Code use it, run: gatehouse setup claude-code%s", at.profile.Flag())
}

func as(claims credential.Claims) string {
	if who := person(claims); who != "" {
		return " as " + who
	}
	return ""
}

// person names the holder of a token for people: "Ada Lovelace <ada@example.com>".
func person(c credential.Claims) string {
	name, email := printable(c.Name), printable(c.Email)
	switch {
	case name != "" && email != "":
		return fmt.Sprintf("%s <%s>", name, email)
	case email != "":
		return email
	}
	return name
}
