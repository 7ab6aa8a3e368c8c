package sealed

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/keystore"
	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/chacha20poly1305"
)

const (
	version = 1
	// byPassphrase is the key of a file whose key is derived; otherwise it is the
	// kind of the keyring that holds it.
	byPassphrase = "passphrase"
	saltSize     = 16
	maxFile      = 128 << 10
)

// Cost is what one derivation of a key takes.
type Cost struct {
	Time      uint32 `json:"time"`
	MemoryKiB uint32 `json:"memory_kib"`
	Threads   uint8  `json:"threads"`
}

// DefaultCost takes some 40 ms: programs wait for it at every token.
var DefaultCost = Cost{Time: 2, MemoryKiB: 19 << 10, Threads: 1}

// maxCost bounds what a file may ask for: about a second.
var maxCost = Cost{Time: 4, MemoryKiB: 256 << 10, Threads: 8}

func (c Cost) valid() bool {
	return c.Time >= 1 && c.Time <= maxCost.Time && c.Threads >= 1 && c.Threads <= maxCost.Threads &&
		c.MemoryKiB >= 8*uint32(c.Threads) && c.MemoryKiB <= maxCost.MemoryKiB
}

// derivation is how a passphrase becomes a key.
type derivation struct {
	Salt []byte `json:"salt"`
	Cost
}

func newDerivation(c Cost) *derivation {
	salt := make([]byte, saltSize)
	rand.Read(salt)
	return &derivation{salt, c}
}

func (d *derivation) key(passphrase string) []byte {
	return argon2.IDKey([]byte(passphrase), d.Salt, d.Time, d.MemoryKiB, d.Threads, chacha20poly1305.KeySize)
}

func (d *derivation) equal(other *derivation) bool {
	return d != nil && other != nil && d.Cost == other.Cost && bytes.Equal(d.Salt, other.Salt)
}

// header is what a file says before it is opened.
type header struct {
	Version  int         `json:"version"`
	Key      string      `json:"key"`
	Argon2id *derivation `json:"argon2id,omitempty"`
}

type envelope struct {
	header
	Nonce  []byte `json:"nonce"`
	Sealed []byte `json:"sealed"`
}

var (
	errFormat = errors.New("it is not a sealed credential")
	errNewer  = errors.New("it was written by a newer gatehouse")
	errClosed = errors.New("it does not open: it was changed, or sealed with another passphrase or key")
)

func parse(b []byte) (envelope, error) {
	var e envelope
	if len(b) > maxFile || json.Unmarshal(b, &e) != nil {
		return envelope{}, errFormat
	}
	if e.Version > version {
		return envelope{}, errNewer
	}
	derived := e.Argon2id != nil && len(e.Argon2id.Salt) == saltSize && e.Argon2id.valid()
	kept := e.Argon2id == nil && (e.Key == keystore.Keychain || e.Key == keystore.WinCred || e.Key == keystore.SecretService)
	if e.Version != version || len(e.Nonce) != chacha20poly1305.NonceSizeX || len(e.Sealed) < chacha20poly1305.Overhead ||
		!(e.Key == byPassphrase && derived || kept) {
		return envelope{}, errFormat
	}
	return e, nil
}

// bound is what a file is authenticated with beside its content: what it says
// of itself, and whose it is.
func (h header) bound(origin string, profile credential.Profile) ([]byte, error) {
	b, err := json.Marshal(struct {
		header
		Origin  string `json:"origin"`
		Profile string `json:"profile"`
	}{h, origin, profile.String()})
	if err != nil {
		return nil, fmt.Errorf("encoding the header: %w", err)
	}
	return b, nil
}

func seal(h header, key, plain []byte, origin string, profile credential.Profile) ([]byte, error) {
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, fmt.Errorf("making the cipher: %w", err)
	}
	bound, err := h.bound(origin, profile)
	if err != nil {
		return nil, err
	}
	e := envelope{header: h, Nonce: make([]byte, chacha20poly1305.NonceSizeX)}
	rand.Read(e.Nonce)
	e.Sealed = aead.Seal(nil, e.Nonce, plain, bound)
	b, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("encoding the sealed credential: %w", err)
	}
	return append(b, '\n'), nil
}

func (e envelope) open(key []byte, origin string, profile credential.Profile) ([]byte, error) {
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, errClosed
	}
	bound, err := e.bound(origin, profile)
	if err != nil {
		return nil, err
	}
	plain, err := aead.Open(nil, e.Nonce, e.Sealed, bound)
	if err != nil {
		return nil, errClosed
	}
	return plain, nil
}
