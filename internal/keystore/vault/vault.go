package vault

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/keystore"
	"github.com/gatehouse-dev/gatehouse/internal/keystore/lockfile"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// Items is a keyring. Names are printable ASCII of at most 400 bytes without
// quotes; values are printable ASCII without blanks. Methods fail with
// fault.Unavailable if the keyring is locked or does not answer, and with
// fault.Unsupported if there is none. They may be called concurrently.
type Items interface {
	// Kind is keystore.Keychain, WinCred or SecretService.
	Kind() string
	// Limit is the largest value that Set takes, in bytes.
	Limit() int
	// Where names an item for a person.
	Where(name string) string
	// Get fails with fault.NotFound if there is no such item.
	Get(ctx context.Context, name string) (secret.Text, error)
	// Set replaces an item, or makes it.
	Set(ctx context.Context, name string, value secret.Text) error
	// Delete removes an item. It is no error if there is none.
	Delete(ctx context.Context, name string) error
}

// Store keeps pairs in Items. All fields are required.
type Store struct {
	Items Items
	// Origin is the server the pairs belong to, Folder the configuration they
	// belong to: both are part of an item's name.
	Origin string
	Folder string
	// Locks keeps processes apart.
	Locks lockfile.Folder
}

var (
	_ keystore.Home   = (*Store)(nil)
	_ keystore.Prober = (*Store)(nil)
)

var errTooLarge = fault.New(fault.Unsupported, "the keyring cannot hold a credential of this size").WithHint("gatehouse storage list")

// Name is the keyring's kind.
func (s *Store) Name() string { return s.Items.Kind() }

// Where is the profile's item.
func (s *Store) Where(profile credential.Profile) string { return s.Items.Where(s.Item(profile)) }

// Item is the name of the profile's item: "PROFILE at ORIGIN", and which configuration it is, because two of
// them on one machine have two sign-ins.
func (s *Store) Item(profile credential.Profile) string {
	folder := sha256.Sum256([]byte(s.Folder))
	return fmt.Sprintf("%s at %s (%s)", profile, s.Origin, hex.EncodeToString(folder[:4]))
}

func partName(name, generation string, n int) string {
	return fmt.Sprintf("%s #%s.%d", name, generation, n)
}

// attempts bounds how often a reader begins again because a writer was faster.
const attempts = 16

// Load reads the profile's item and its parts.
func (s *Store) Load(ctx context.Context, profile credential.Profile) (credential.Pair, error) {
	return within(ctx, s.Items.Kind(), func(ctx context.Context) (credential.Pair, error) {
		name, before := s.Item(profile), secret.Text{}
		for range attempts {
			value, err := s.Items.Get(ctx, name)
			if err != nil {
				return credential.Pair{}, err
			}
			pair, err := s.assemble(ctx, name, value)
			if err == nil || !errors.Is(err, errDamaged) || before.Equal(value) {
				return pair, s.damaged(profile, err)
			}
			before = value // a writer may have replaced it while we read
		}
		return credential.Pair{}, fault.New(fault.Unavailable, "the credential was replaced faster than it could be read")
	})
}

func (s *Store) assemble(ctx context.Context, name string, value secret.Text) (credential.Pair, error) {
	i, err := parse(value.Reveal())
	if err != nil {
		return credential.Pair{}, err
	}
	var text strings.Builder
	text.WriteString(i.text)
	for n := range i.parts {
		part, err := s.Items.Get(ctx, partName(name, i.generation, n))
		if fault.Is(err, fault.NotFound) {
			return credential.Pair{}, errDamaged
		}
		if err != nil {
			return credential.Pair{}, err
		}
		text.WriteString(part.Reveal())
		if text.Len() > maxText {
			return credential.Pair{}, errDamaged
		}
	}
	if sum(text.String()) != i.sum {
		return credential.Pair{}, errDamaged
	}
	pair, err := unpack(text.String())
	if err != nil {
		return credential.Pair{}, fmt.Errorf("%w", errDamaged)
	}
	return pair, nil
}

func (s *Store) damaged(profile credential.Profile, err error) error {
	if !errors.Is(err, errDamaged) {
		return err
	}
	return fault.New(fault.Invalid, "%s cannot be used, because %w", s.Where(profile), errDamaged).WithHint("gatehouse login" + profile.Flag())
}

// Save writes the profile's item, in parts if it has to.
func (s *Store) Save(ctx context.Context, profile credential.Profile, pair credential.Pair) error {
	text, err := pack(pair)
	if err != nil {
		return err
	}
	_, err = within(ctx, s.Items.Kind(), func(ctx context.Context) (none, error) {
		name := s.Item(profile)
		old := s.indexOf(ctx, name)
		next := index{sum: sum(text), text: text}
		if len(next.String()) > s.Items.Limit() {
			parts, err := s.writeParts(ctx, name, text)
			if err != nil {
				return none{}, err
			}
			next = parts
		}
		if err := s.Items.Set(ctx, name, secret.New(next.String())); err != nil {
			if !fault.Is(err, fault.Unavailable) { // otherwise it may have happened all the same
				s.dropParts(ctx, name, next)
			}
			return none{}, err
		}
		s.dropParts(ctx, name, old)
		return none{}, nil
	})
	return err
}

// indexOf is what the item says now; nothing if it cannot be read.
func (s *Store) indexOf(ctx context.Context, name string) index {
	value, err := s.Items.Get(ctx, name)
	if err != nil {
		return index{}
	}
	i, err := parse(value.Reveal())
	if err != nil {
		return index{}
	}
	return i
}

// random is a word that nobody else has.
func random() string {
	var raw [genDigits / 2]byte
	rand.Read(raw[:])
	return hex.EncodeToString(raw[:])
}

func (s *Store) writeParts(ctx context.Context, name, text string) (index, error) {
	next := index{sum: sum(text), generation: random()}
	for size := s.Items.Limit(); text != ""; next.parts++ {
		part := text[:min(size, len(text))]
		if next.parts == maxParts {
			return next, errTooLarge
		}
		if err := s.Items.Set(ctx, partName(name, next.generation, next.parts), secret.New(part)); err != nil {
			s.dropParts(ctx, name, next)
			return next, err
		}
		text = text[len(part):]
	}
	return next, nil
}

// dropParts removes what nothing names any more. What it cannot remove is of no
// use to anybody, and takes a little room.
func (s *Store) dropParts(ctx context.Context, name string, i index) {
	for n := range i.parts {
		_ = s.Items.Delete(ctx, partName(name, i.generation, n))
	}
}

// Probe writes a small item, reads it back and removes it.
func (s *Store) Probe(ctx context.Context, _ credential.Profile) error {
	return Probe(ctx, s.Items)
}

// Probe finds out whether a keyring keeps what it is given.
func Probe(ctx context.Context, items Items) error {
	name := "probe " + random() // others may try at the same time
	_, err := within(ctx, items.Kind(), func(ctx context.Context) (none, error) {
		value := secret.New("probe")
		if err := items.Set(ctx, name, value); err != nil {
			return none{}, err
		}
		got, err := items.Get(ctx, name)
		if err == nil && !got.Equal(value) {
			err = fault.New(fault.Unsupported, "the keyring does not give back what it was given")
		}
		if deleted := items.Delete(ctx, name); err == nil {
			err = deleted
		}
		return none{}, err
	})
	return err
}

// Delete removes the profile's item and its parts.
func (s *Store) Delete(ctx context.Context, profile credential.Profile) error {
	name := s.Item(profile)
	return s.remove(ctx, name, name)
}

// Forget removes the profile's items, also what was set aside.
func (s *Store) Forget(ctx context.Context, profile credential.Profile) error {
	name := s.Item(profile)
	return errors.Join(s.remove(ctx, name, name), s.remove(ctx, name+aside, name))
}

// remove deletes an item, and the parts it names among those of name.
func (s *Store) remove(ctx context.Context, item, name string) error {
	_, err := within(ctx, s.Items.Kind(), func(ctx context.Context) (none, error) {
		old := s.indexOf(ctx, item)
		if err := s.Items.Delete(ctx, item); err != nil {
			return none{}, err
		}
		s.dropParts(ctx, name, old)
		return none{}, nil
	})
	return err
}

const aside = " damaged"

// SetAside gives the profile's item another name. Its parts, if it has any,
// stay where they are.
func (s *Store) SetAside(ctx context.Context, profile credential.Profile) (string, error) {
	name := s.Item(profile)
	_, err := within(ctx, s.Items.Kind(), func(ctx context.Context) (none, error) {
		value, err := s.Items.Get(ctx, name)
		if fault.Is(err, fault.NotFound) {
			return none{}, nil
		}
		if err != nil {
			return none{}, err
		}
		if len(value.Reveal()) <= s.Items.Limit() && printable(value.Reveal()) {
			if err := s.Items.Set(ctx, name+aside, value); err != nil {
				return none{}, err
			}
		}
		return none{}, s.Items.Delete(ctx, name)
	})
	return s.Items.Where(name + aside), err
}

func printable(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}

// Lock takes the profile's lock file.
func (s *Store) Lock(ctx context.Context, profile credential.Profile) (func(), error) {
	return s.Locks.Lock(ctx, profile)
}

type none struct{}

// within runs f for at most keystore.BusyPatience. A keyring that never comes back
// keeps a goroutine, and not the caller.
func within[T any](ctx context.Context, kind string, f func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, keystore.BusyPatience)
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	defer cancel()
	go func() {
		value, err := f(ctx)
		done <- result{value, err}
	}()
	var r result
	select {
	case r = <-done:
		if r.err == nil || ctx.Err() == nil || fault.KindOf(r.err) != fault.Internal {
			return r.value, r.err
		}
	case <-ctx.Done():
	}
	var zero T
	return zero, fault.Wrap(fault.Unavailable, ctx.Err(), fmt.Sprintf("the storage %s did not answer within %s", kind, keystore.BusyPatience)).
		WithHint("gatehouse storage list")
}

// Get is items.Get, within keystore.BusyPatience.
func Get(ctx context.Context, items Items, name string) (secret.Text, error) {
	return within(ctx, items.Kind(), func(ctx context.Context) (secret.Text, error) { return items.Get(ctx, name) })
}

// Set is items.Set, within keystore.BusyPatience.
func Set(ctx context.Context, items Items, name string, value secret.Text) error {
	_, err := within(ctx, items.Kind(), func(ctx context.Context) (none, error) { return none{}, items.Set(ctx, name, value) })
	return err
}
