package password

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"golang.org/x/crypto/argon2"
)

const (
	memoryKiB  = 19 * 1024
	passes     = 2
	lanes      = 1
	keyBytes   = 32
	saltBytes  = 16
	minLength  = 10
	maxBytes   = 1024
	atOnce     = 2
	queueLimit = 64
)

// Hasher hashes and compares. Use New; it is safe for concurrent use.
type Hasher struct {
	slots chan struct{}
	queue chan struct{}
}

// New returns a Hasher.
func New() *Hasher {
	return &Hasher{slots: make(chan struct{}, atOnce), queue: make(chan struct{}, queueLimit)}
}

// Check says whether a new password may be used.
func Check(p secret.Text) error {
	switch {
	case utf8.RuneCountInString(p.Reveal()) < minLength:
		return fault.New(fault.Invalid, "the password needs at least %d characters", minLength).At("password")
	case len(p.Reveal()) > maxBytes:
		return fault.New(fault.Invalid, "the password is longer than %d bytes", maxBytes).At("password")
	}
	return nil
}

// Hash returns what to store for a password, in the PHC string format.
func (h *Hasher) Hash(ctx context.Context, p secret.Text) (string, error) {
	salt := make([]byte, saltBytes)
	rand.Read(salt)
	key, err := h.key(ctx, p, salt)
	if err != nil {
		return "", err
	}
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, memoryKiB, passes, lanes, b64.EncodeToString(salt), b64.EncodeToString(key)), nil
}

// Matches compares a password with a stored hash. An empty hash matches nothing
// and takes as long, so that nobody learns who has a password.
func (h *Hasher) Matches(ctx context.Context, p secret.Text, stored string) (bool, error) {
	salt, want, err := parse(stored)
	if err != nil {
		return false, err
	}
	got, err := h.key(ctx, p, salt)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(got, want) == 1 && stored != "", nil
}

func parse(stored string) (salt, key []byte, err error) {
	if stored == "" {
		return make([]byte, saltBytes), make([]byte, keyBytes), nil
	}
	var version, m, t, p int
	parts := strings.Split(stored, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return nil, nil, fmt.Errorf("a stored password is no argon2id hash")
	}
	if _, err := fmt.Sscanf(parts[2]+" "+parts[3], "v=%d m=%d,t=%d,p=%d", &version, &m, &t, &p); err != nil || version != argon2.Version || m != memoryKiB || t != passes || p != lanes {
		return nil, nil, fmt.Errorf("a stored password has unknown parameters")
	}
	if salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil {
		return nil, nil, fmt.Errorf("a stored password's salt: %w", err)
	}
	if key, err = base64.RawStdEncoding.DecodeString(parts[5]); err != nil {
		return nil, nil, fmt.Errorf("a stored password's key: %w", err)
	}
	return salt, key, nil
}

func (h *Hasher) key(ctx context.Context, p secret.Text, salt []byte) ([]byte, error) {
	if len(p.Reveal()) > maxBytes {
		return make([]byte, keyBytes), nil // cannot be anybody's
	}
	select {
	case h.queue <- struct{}{}:
		defer func() { <-h.queue }()
	default:
		return nil, fault.New(fault.RateLimited, "too many people are signing in at this moment").After(2 * time.Second)
	}
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return argon2.IDKey([]byte(p.Reveal()), salt, passes, memoryKiB, lanes, keyBytes), nil
}
