package main

import (
	"context"
	"os"
	"slices"

	"github.com/gatehouse-dev/gatehouse/internal/checkup"
	"github.com/gatehouse-dev/gatehouse/internal/claudecode"
	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/doctor"
	"github.com/gatehouse-dev/gatehouse/internal/login"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// patient is this machine, as package doctor looks at it.
func (m *Main) patient(at places, flags doctorFlags) doctor.Patient {
	address, _ := m.serverFor(at, flags.server) // no server is a finding
	folder, _ := os.Getwd()                     // so is no folder
	user, _ := claudecode.UserSettings(m.Home, m.Getenv)
	return doctor.Patient{
		System: m.System, Arch: m.Arch, Home: m.Home, Folder: folder,
		Getenv: m.Getenv, LookPath: m.LookPath, Output: m.Output, Now: m.Now,
		Profile: at.profile, Address: address, Client: m.client(login.Server{}, at.known.CAFile),
		Recall: func() (login.Enrolment, error) { return at.known, at.recall },
		Load:   func(ctx context.Context) (credential.Pair, error) { return at.store.Load(ctx, at.profile) },
		Token: func(ctx context.Context) (secret.Text, error) {
			pair, err := m.source(at).Pair(ctx)
			return pair.Access, err
		},
		UserSettings: user, Managed: m.managedFolder(),
		Target: func() (claudecode.Target, error) { return m.target(at, setupFlags{}) },
		SetUp: func(ctx context.Context) error {
			return m.setup(ctx, setupFlags{changeFlags: changeFlags{yes: true}, door: string(claudecode.Helper)})
		},
		Ask: !flags.noRequest,
	}
}

// mendAll makes the fixes of findings that are not ok, and returns whose it
// made.
func (m *Main) mendAll(ctx context.Context, findings []doctor.Finding, flags doctorFlags) (fixed []string, err error) {
	if !flags.fix {
		return nil, nil
	}
	var done []string // the same fix may mend two
	for _, f := range findings {
		if f.Fix == nil || f.State == checkup.OK || slices.Contains(done, f.Fix.Says) {
			continue
		}
		done = append(done, f.Fix.Says)
		if flags.dryRun {
			m.say("Would mend %s: %s", f.Title, printable(f.Fix.Says))
			continue
		}
		m.say("Mending %s: %s", f.Title, printable(f.Fix.Says))
		if err := f.Fix.Do(ctx); err != nil {
			return fixed, err
		}
		fixed = append(fixed, f.Name)
	}
	if len(done) == 0 {
		m.say("There is nothing that is harmless to mend.")
	}
	return fixed, nil
}

func (m *Main) bundle(e *doctor.Examination, findings []doctor.Finding, path string) error {
	b, err := e.Bundle(m.Version, findings, os.Environ())
	if err != nil {
		return err
	}
	if err := doctor.WriteBundle(path, b); err != nil {
		return err
	}
	m.say("Wrote %s. Look through it before you send it.", path)
	return nil
}
