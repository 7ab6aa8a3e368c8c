package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/login"
	"github.com/gatehouse-dev/gatehouse/internal/sdkprofile"
	"github.com/spf13/cobra"
)

const (
	browserPatience = 10 * time.Minute
	lockPatience    = 30 * time.Second
	revokePatience  = 10 * time.Second
)

type loginFlags struct {
	server    string
	noBrowser bool
}

func (m *Main) loginVerb() *cobra.Command {
	var flags loginFlags
	c := m.withProfile(m.verb("login", "Sign in at your organization's server",
		`With a display a browser opens; otherwise, and with --no-browser, a code is shown
that is confirmed in a browser anywhere. Afterwards "gatehouse token" prints
access tokens, and ANTHROPIC_PROFILE=gatehouse (gatehouse-NAME for another
profile) makes Claude Code and every official SDK use the sign-in. The server is
remembered.`, func(ctx context.Context) error { return m.login(ctx, flags) }))
	c.Flags().StringVar(&flags.server, "server", "", "the server's address (GATEHOUSE_SERVER, or the one used last)")
	c.Flags().BoolVar(&flags.noBrowser, "no-browser", false, "show a code instead of opening a browser")
	return c
}

func (m *Main) login(ctx context.Context, flags loginFlags) error {
	at, err := m.places()
	if err != nil {
		return err
	}
	address, err := m.serverFor(at, flags.server)
	if err != nil {
		return err
	}
	if err := at.sdk.Claim(at.profile, login.ClientID); err != nil {
		return err
	}
	server, err := m.client(login.Server{}).Discover(ctx, address)
	if err != nil {
		return again(err, flags, at.profile)
	}
	pair, err := m.signIn(ctx, m.client(server), flags.noBrowser)
	if err != nil {
		return again(err, flags, at.profile)
	}
	if err := m.keep(ctx, at, server, pair); err != nil {
		return err
	}
	m.welcome(at, server, pair)
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
	if known, err := at.memory.Recall(at.profile); err == nil {
		return known.Origin, nil
	}
	if last := at.memory.LastServer(); last != "" {
		return last, nil
	}
	return "", &usageError{"no server is named", "gatehouse login --server https://gate.example.com" + at.profile.Flag()}
}

func (m *Main) signIn(ctx context.Context, client *login.Client, noBrowser bool) (credential.Pair, error) {
	device := login.Device{System: m.System + "/" + m.Arch, Version: m.Version}
	device.Name, _ = m.Hostname() // a machine without a name is shown without one
	if !noBrowser && client.Server.Authorization != "" && login.Display(m.System, m.Getenv) {
		pair, err := m.throughBrowser(ctx, client, device)
		if !fault.Is(err, fault.Unsupported) {
			return pair, err
		}
		m.say("%s; use a code instead.", sentence(message(err)))
	}
	return m.byCode(ctx, client, device)
}

func (m *Main) throughBrowser(ctx context.Context, client *login.Client, device login.Device) (credential.Pair, error) {
	ctx, cancel := context.WithTimeout(ctx, browserPatience)
	defer cancel()
	return client.Browser(ctx, device, func(ctx context.Context, address string) error {
		if err := m.OpenBrowser(ctx, address); err != nil {
			return err
		}
		m.say("Your browser opens to sign in at %s. If it does not, open this address on this machine:\n  %s", client.Server.Origin, address)
		return nil
	})
}

func (m *Main) byCode(ctx context.Context, client *login.Client, device login.Device) (credential.Pair, error) {
	code, err := client.StartDevice(ctx, device)
	if err != nil {
		return credential.Pair{}, err
	}
	m.say("To sign in at %s, open\n  %s\nand enter the code\n  %s", client.Server.Origin, code.URL, code.UserCode)
	if code.Complete != "" {
		m.say("or open\n  %s", code.Complete)
	}
	m.say("Waiting until it is confirmed …")
	return client.AwaitDevice(ctx, code)
}

// keep makes the new sign-in the profile's only one. What was there before is
// ended at its server, so that no forgotten session stays behind.
func (m *Main) keep(ctx context.Context, at places, server login.Server, pair credential.Pair) error {
	lockCtx, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	release, err := at.store.Lock(lockCtx, at.profile)
	if err != nil {
		return err
	}
	defer release()
	oldPair, oldErr := at.store.Load(ctx, at.profile)
	known, knownErr := at.memory.Recall(at.profile)
	if knownErr != nil || known.Origin != server.Origin {
		// An SDK that reads between the two writes must not send the old server's
		// token to the new one.
		if err := at.store.Delete(ctx, at.profile); err != nil {
			return err
		}
	}
	if err := at.memory.Remember(at.profile, login.Enrolment{Server: server, SignedIn: m.Now().UTC().Truncate(time.Second)}); err != nil {
		return err
	}
	claims, _ := credential.ReadClaims(pair.Access) // an opaque token names no organization
	if err := at.sdk.Write(at.profile, sdkprofile.Profile{ClientID: login.ClientID, BaseURL: server.Origin, OrganizationID: claims.Organization}); err != nil {
		return err
	}
	if err := at.store.Save(ctx, at.profile, pair); err != nil {
		return err
	}
	if oldErr == nil && knownErr == nil && !oldPair.SameChain(pair) {
		revokeCtx, cancel := context.WithTimeout(ctx, revokePatience)
		defer cancel()
		_ = m.client(known.Server).Revoke(revokeCtx, oldPair) // best effort: it may have ended long ago
	}
	return nil
}

func (m *Main) welcome(at places, server login.Server, pair credential.Pair) {
	claims, _ := credential.ReadClaims(pair.Access) // an opaque token names nobody
	m.say("Signed in at %s%s.", server.Origin, as(claims))
	m.say("Claude Code and the SDKs use it with ANTHROPIC_PROFILE=%s; to make that lasting, run: gatehouse setup claude-code%s", at.profile.SDKName(), at.profile.Flag())
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
