package main

import (
	"context"
	"path/filepath"
	"sync"

	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/keystore"
	"github.com/gatehouse-dev/gatehouse/internal/keystore/choice"
	"github.com/gatehouse-dev/gatehouse/internal/keystore/file"
	"github.com/gatehouse-dev/gatehouse/internal/keystore/keychain"
	"github.com/gatehouse-dev/gatehouse/internal/keystore/lockfile"
	"github.com/gatehouse-dev/gatehouse/internal/keystore/sealed"
	"github.com/gatehouse-dev/gatehouse/internal/keystore/secretservice"
	"github.com/gatehouse-dev/gatehouse/internal/keystore/vault"
	"github.com/gatehouse-dev/gatehouse/internal/keystore/wincred"
)

// systemKeyring is the kind of keyring that this system has.
func (m *Main) systemKeyring() string {
	switch m.System {
	case "darwin":
		return keystore.Keychain
	case "windows":
		return keystore.WinCred
	}
	return keystore.SecretService
}

// keyring opens a keyring; nil if this system has none of the kind.
func (m *Main) keyring(kind string) vault.Items {
	if kind != m.systemKeyring() {
		return nil
	}
	switch kind {
	case keystore.Keychain:
		return keychain.Keychain{Program: keychain.Program}
	case keystore.WinCred:
		if api := wincred.Here(); api != nil {
			return wincred.Manager{API: api}
		}
		return nil
	}
	if m.bus != nil {
		return m.bus
	}
	return &secretservice.Service{Address: secretservice.FindBus(m.Getenv)}
}

// open returns the store of a kind for a sign-in at a server. It asks nobody and
// opens nothing yet.
func (at places) open(m *Main, kind, origin string) (keystore.Home, error) {
	switch kind {
	case "", keystore.File:
		return file.Store{Dir: at.sdk.Credentials()}, nil
	case keystore.Sealed:
		return &sealed.Store{Dir: filepath.Join(at.memory.Dir, "sealed"), Origin: origin, Passphrase: m.passphrase, Keyring: m.keyring}, nil
	}
	items := m.keyring(kind)
	if items == nil {
		return nil, fault.New(fault.Unsupported, "the credential is kept in %.40q, which this system does not have", kind).WithHint("gatehouse login --storage sealed" + at.profile.Flag())
	}
	return &vault.Store{Items: items, Origin: origin, Folder: at.memory.Dir, Locks: lockfile.Folder(filepath.Join(at.memory.Dir, "locks"))}, nil
}

// keptIn is the kind of storage that the profile has.
func (at places) keptIn() string {
	if at.known.Storage == "" {
		return keystore.File
	}
	return at.known.Storage
}

// readBySDKs fails where only this program can read the credential.
func (at places) readBySDKs() error {
	if at.keptIn() == keystore.File {
		return nil
	}
	return fault.New(fault.Conflict, "the profile door needs a credential that an SDK can read, and it is kept in %s", at.keptIn()).
		WithHint("gatehouse setup claude-code --door helper" + at.profile.Flag())
}

// candidates are the storages of this system, the safest first.
func (m *Main) candidates(ctx context.Context) []choice.Candidate {
	kind := m.systemKeyring()
	keyring := sync.OnceValue(func() error {
		items := m.keyring(kind)
		if items == nil {
			return fault.New(fault.Unsupported, "this system has none")
		}
		return vault.Probe(ctx, items)
	})
	return []choice.Candidate{
		{Kind: kind, Probe: func(context.Context) error { return keyring() }},
		{Kind: keystore.Sealed, Probe: func(ctx context.Context) error {
			if m.Getenv(passphraseFile) == "" && (m.Prompt != nil || keyring() == nil) {
				return nil
			}
			if _, err := m.passphrase(ctx); err != nil {
				return fault.New(fault.Unsupported, "%s", message(err))
			}
			return nil
		}},
		{Kind: keystore.File},
	}
}

// storageFor decides where the sign-in is kept: what the person says, else where
// it was put before, else the first place that can be used.
func (m *Main) storageFor(ctx context.Context, at places, flag string) (choice.Chosen, error) {
	wanted, named := flag, "--storage"
	if wanted == "" {
		wanted, named = m.Getenv("GATEHOUSE_STORAGE"), "GATEHOUSE_STORAGE"
	}
	if wanted == "" && at.known.Storage != "" {
		wanted, named = at.known.Storage, ""
	}
	candidates := m.candidates(ctx)
	if wanted == "" {
		return choice.Choose(choice.First(ctx, candidates), "", "")
	}
	var verdicts []choice.Verdict
	for _, c := range candidates {
		if c.Kind != wanted {
			c.Probe = nil // only its name is of interest
		}
		verdicts = append(verdicts, choice.Survey(ctx, []choice.Candidate{c})...)
	}
	chosen, err := choice.Choose(verdicts, wanted, named)
	if err == nil && named == "" {
		chosen.Why = at.known.StorageWhy
	}
	return chosen, err
}

// ready opens the chosen store so that saving will work: the passphrase of a
// sealed one is asked for now.
func (m *Main) ready(ctx context.Context, at places, kind, origin string) (keystore.Home, error) {
	home, err := at.open(m, kind, origin)
	if err != nil {
		return nil, err
	}
	if s, ok := home.(*sealed.Store); ok {
		if err := m.prepare(ctx, s, at.profile); err != nil {
			return nil, err
		}
	}
	if prober, ok := home.(keystore.Prober); ok {
		return home, prober.Probe(ctx, at.profile)
	}
	return home, nil
}

// prepare decides where the key of a new sealed file comes from: the passphrase
// that was named, else the keyring, else a passphrase that is typed.
func (m *Main) prepare(ctx context.Context, s *sealed.Store, profile credential.Profile) error {
	kind := m.systemKeyring()
	if items := m.keyring(kind); m.Getenv(passphraseFile) == "" && items != nil && vault.Probe(ctx, items) == nil {
		s.NewKey = kind
	}
	if !s.ByPassphrase(profile) {
		return nil
	}
	return m.askPassphrase(ctx, true)
}

// missing stands for a storage that this machine does not have.
type missing struct {
	kind string
	err  error
}

func (s missing) Name() string                    { return s.kind }
func (s missing) Where(credential.Profile) string { return "not on this system" }
func (s missing) Load(context.Context, credential.Profile) (credential.Pair, error) {
	return credential.Pair{}, s.err
}
func (s missing) Save(context.Context, credential.Profile, credential.Pair) error { return s.err }
func (s missing) Delete(context.Context, credential.Profile) error                { return nil }
func (s missing) Forget(context.Context, credential.Profile) error                { return nil }
func (s missing) SetAside(context.Context, credential.Profile) (string, error)    { return "", s.err }
func (s missing) Lock(context.Context, credential.Profile) (func(), error)        { return func() {}, nil }
