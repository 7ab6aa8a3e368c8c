package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/login"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

const (
	browserPatience = 10 * time.Minute
	maxPastes       = 20
)

// surroundings is where the sign-in begins.
func (m *Main) surroundings(server login.Server, flags loginFlags) login.Surroundings {
	s := login.LookAround(m.System, m.Getenv, m.Root, func(program string) bool {
		_, err := m.LookPath(program)
		return err == nil
	})
	s.Asked, s.Terminal = flags.asked(), m.Interactive()
	s.Browser, s.Code = server.Authorization != "", server.Device != ""
	return s
}

// asked is the way that the person named; "" if they did not.
func (f loginFlags) asked() login.Way {
	switch {
	case f.noBrowser || f.device:
		return login.ByCode
	case f.browser || f.port != 0:
		return login.ByBrowser
	}
	return ""
}

func (f loginFlags) check() error {
	if f.asked() == login.ByCode && (f.browser || f.port != 0) {
		return &usageError{"a browser and no browser were both asked for", "gatehouse login --device"}
	}
	if f.port < 0 || f.port > 65535 {
		return &usageError{"a port is a number up to 65535", "gatehouse login --port 8400"}
	}
	return nil
}

func (m *Main) signIn(ctx context.Context, client *login.Client, flags loginFlags) (credential.Pair, error) {
	device := login.Device{System: m.System + "/" + m.Arch, Version: m.Version}
	device.Name, _ = m.Hostname() // a machine without a name is shown without one
	around := m.surroundings(client.Server, flags)
	way, why := login.Choose(around)
	if way == login.ByBrowser {
		m.say("Signing in through a browser: %s.", why)
		pair, err := m.throughBrowser(ctx, client, device, flags.port, around.WSL)
		if !fault.Is(err, fault.Unsupported) {
			return pair, err
		}
		why = message(err)
	}
	m.say("Signing in with a code: %s.", why)
	return m.byCode(ctx, client, device, !flags.noQR)
}

// throughBrowser shows the address, and waits whether a browser opens or not:
// the person may open it themselves, here or, with pasting, anywhere.
func (m *Main) throughBrowser(ctx context.Context, client *login.Client, device login.Device, port int, wsl bool) (credential.Pair, error) {
	ctx, cancel := context.WithTimeout(ctx, browserPatience)
	var done []<-chan struct{}
	defer func() {
		cancel()
		for _, d := range done { // the terminal is put right before we go on
			<-d
		}
	}()
	hands := login.Hands{Port: port, Refused: func(err error) { m.say("Not taken: %s. Try again:", err) }}
	if m.Prompt != nil && m.Interactive() {
		lines, ended := make(chan secret.Text), make(chan struct{})
		hands.Pasted = lines
		hands.Show = func(address string) {
			loud := m.Silence() // also what is pasted while the line before is looked at is secret
			m.showAddress(client.Server.Origin, address, true)
			done = append(done, m.open(ctx, address, wsl), ended)
			go func() {
				defer close(ended)
				defer loud()
				m.readPastes(ctx, lines)
			}()
		}
	} else {
		hands.Show = func(address string) {
			m.showAddress(client.Server.Origin, address, false)
			done = append(done, m.open(ctx, address, wsl))
		}
	}
	return client.Browser(ctx, device, hands)
}

func (m *Main) showAddress(server, address string, pasting bool) {
	m.say("A browser opens to sign in at %s. If none does, open this address:\n  %s", server, address)
	if pasting {
		m.say("If the browser is on another machine and cannot open the page after that, paste that page's address here (it is not shown):")
	}
}

// open opens a browser beside everything else, and says so if that fails.
func (m *Main) open(ctx context.Context, address string, wsl bool) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := m.OpenBrowser(ctx, address, wsl); err != nil && ctx.Err() == nil {
			m.say("%s. If no page opened, open the address above.", sentence(printable(err.Error())))
		}
	}()
	return done
}

// readPastes hands on what is typed, line by line, until the sign-in is over or
// the person ends what they type.
func (m *Main) readPastes(ctx context.Context, lines chan<- secret.Text) {
	for range maxPastes {
		line, err := m.Prompt(ctx, "")
		if err != nil {
			return
		}
		if strings.TrimSpace(line.Reveal()) == "" {
			continue
		}
		select {
		case lines <- line:
		case <-ctx.Done():
			return
		}
	}
}

// rootsFor is the file of certificates that is trusted for a server too: what the
// person says, else what was said at the sign-in before.
func (m *Main) rootsFor(at places, address string, flags loginFlags) (string, error) {
	if !flags.rootsNamed {
		if origin, err := login.ParseServer(address); err == nil && at.recall == nil && origin == at.known.Origin {
			return at.known.CAFile, nil
		}
		return "", nil
	}
	if flags.roots == "" {
		return "", nil
	}
	path, err := filepath.Abs(flags.roots)
	if err != nil {
		return "", fmt.Errorf("naming the file of certificates: %w", err)
	}
	return path, login.CheckRoots(path)
}

// sameServer refuses a server under a name that another had: for this profile,
// or, if it was not signed in there, for any.
func (m *Main) sameServer(at places, now login.Server, flags loginFlags) error {
	if flags.replaceServer {
		return nil
	}
	known := []login.Enrolment{at.known}
	if at.recall != nil || at.known.Origin != now.Origin {
		known = nil
		for _, p := range at.memory.Profiles() {
			if e, err := at.memory.Recall(p); err == nil {
				known = append(known, e)
			}
		}
	}
	for _, e := range known {
		if e.Origin != now.Origin {
			continue
		}
		if err := e.Same(now); err != nil {
			again := "gatehouse login --replace-server" + at.profile.Flag()
			if flags.server != "" {
				again += " --server " + now.Origin
			}
			f, _ := errors.AsType[*fault.Error](err)
			return f.WithHint(again)
		}
	}
	return nil
}
