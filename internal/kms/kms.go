package kms

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

const (
	version  = 1
	idSize   = 8
	overhead = 1 + idSize
)

// Keyring seals and opens. It is safe for concurrent use.
type Keyring struct{ keys []masterKey }

type masterKey struct {
	id   [idSize]byte
	aead cipher.AEAD
}

// New makes a keyring of base64-encoded 256-bit keys. The first seals.
func New(encoded ...secret.Text) (*Keyring, error) {
	if len(encoded) == 0 {
		return nil, errors.New("no master key was given")
	}
	ring := &Keyring{}
	for i, text := range encoded {
		raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text.Reveal()))
		if err != nil || len(raw) != 32 {
			return nil, fmt.Errorf("master key %d is not 32 bytes in base64", i+1)
		}
		key, err := newMasterKey(raw)
		if err != nil {
			return nil, err
		}
		ring.keys = append(ring.keys, key)
	}
	return ring, nil
}

func newMasterKey(raw []byte) (masterKey, error) {
	block, err := aes.NewCipher(raw)
	if err != nil {
		return masterKey{}, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return masterKey{}, err
	}
	key := masterKey{aead: aead}
	sum := sha256.Sum256(append([]byte("gatehouse master key id\x00"), raw...))
	copy(key.id[:], sum[:])
	return key, nil
}

// ID names the sealing key without telling it.
func (r *Keyring) ID() string { return hex.EncodeToString(r.keys[0].id[:]) }

// Knows reports whether the ring holds the key with an ID.
func (r *Keyring) Knows(id string) bool {
	for _, k := range r.keys {
		if hex.EncodeToString(k.id[:]) == id {
			return true
		}
	}
	return false
}

// Seal encrypts a value for the place it is going to stand in.
func (r *Keyring) Seal(place Place, plain []byte) []byte {
	k := r.keys[0]
	nonce := make([]byte, k.aead.NonceSize())
	rand.Read(nonce)
	out := append([]byte{version}, k.id[:]...)
	out = append(out, nonce...)
	return k.aead.Seal(out, nonce, plain, place.bytes())
}

// Open decrypts what Seal made for the same place.
func (r *Keyring) Open(place Place, sealed []byte) ([]byte, error) {
	if len(sealed) < overhead || sealed[0] != version {
		return nil, fmt.Errorf("the sealed value of %s has no known form", place)
	}
	id, rest := sealed[1:overhead], sealed[overhead:]
	for _, k := range r.keys {
		if !bytes.Equal(k.id[:], id) {
			continue
		}
		if len(rest) < k.aead.NonceSize() {
			return nil, fmt.Errorf("the sealed value of %s is cut short", place)
		}
		plain, err := k.aead.Open(nil, rest[:k.aead.NonceSize()], rest[k.aead.NonceSize():], place.bytes())
		if err != nil {
			return nil, fmt.Errorf("the sealed value of %s was changed or moved there: %w", place, err)
		}
		return plain, nil
	}
	return nil, fmt.Errorf("the value of %s is sealed with master key %x, which this server does not have", place, id)
}

// Place is where a sealed value stands.
type Place struct{ Table, Row, Column string }

func (p Place) String() string { return p.Table + "/" + p.Row + "/" + p.Column }

func (p Place) bytes() []byte {
	return []byte(p.Table + "\x00" + p.Row + "\x00" + p.Column)
}

// FromFile reads the master key of a file, which must be readable by its owner
// alone. The file may hold several keys, one a line, the sealing one first.
func FromFile(path string) (*Keyring, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("reading the master key: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("the master key %s has mode %04o: others may read it; run: chmod 600 %s", path, mode, path)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the master key: %w", err)
	}
	var keys []secret.Text
	for line := range strings.Lines(string(raw)) {
		if line = strings.TrimSpace(line); line != "" {
			keys = append(keys, secret.New(line))
		}
	}
	return New(keys...)
}

// FromFileOrNew is FromFile, after making the file with a random key if there is
// none. Of several processes that make it at once, one wins and all use its key.
func FromFileOrNew(path string) (*Keyring, error) {
	ring, err := FromFile(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return ring, err
	}
	var raw [32]byte
	rand.Read(raw[:])
	temp, err := os.CreateTemp(filepath.Dir(path), ".master-*") // mode 0600
	if err != nil {
		return nil, fmt.Errorf("making the master key: %w", err)
	}
	defer os.Remove(temp.Name())
	_, err = temp.WriteString(base64.StdEncoding.EncodeToString(raw[:]) + "\n")
	if err := errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return nil, fmt.Errorf("writing the master key: %w", err)
	}
	// A link, unlike a rename, fails if somebody else was first.
	if err := os.Link(temp.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("making the master key: %w", err)
	}
	if err := syncFolder(filepath.Dir(path)); err != nil {
		return nil, fmt.Errorf("making the master key: %w", err)
	}
	return FromFile(path)
}

// syncFolder makes what was linked there durable: soon a database will hold what
// only this key opens.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
