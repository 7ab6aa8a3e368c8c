package jwks

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Algorithm is what the keys of a set sign with. A token of one is never taken for
// a token of the other.
type Algorithm = jose.SignatureAlgorithm

const (
	EdDSA Algorithm = jose.EdDSA // access tokens, which only this server verifies
	RS256 Algorithm = jose.RS256 // identity tokens for clouds: it is all that every one of them takes
)

const rsaBits = 2048

// Life is after how long a key is replaced by itself.
const Life = 90 * 24 * time.Hour

// times are how long a key is published before it signs, longer than anybody may
// keep an old copy of the set, and how long it is good for verifying after its
// successor signs. Clouds keep copies for hours.
var times = map[Algorithm]struct{ lead, overlap time.Duration }{
	EdDSA: {2 * time.Minute, 90 * time.Minute},
	RS256: {24 * time.Hour, 24 * time.Hour},
}

func generate(a Algorithm) (crypto.Signer, error) {
	if a == RS256 {
		return rsa.GenerateKey(rand.Reader, rsaBits)
	}
	_, private, err := ed25519.GenerateKey(rand.Reader)
	return private, err
}

// Encode writes a private key as ParsePrivate reads it, and its public key: an
// Ed25519 key as its seed and 32 bytes, an RSA key in PKCS #8 and PKIX.
func (k Key) Encode() (private, public []byte, err error) {
	switch key := k.Private.(type) {
	case ed25519.PrivateKey:
		return key.Seed(), key.Public().(ed25519.PublicKey), nil
	case *rsa.PrivateKey:
		if private, err = x509.MarshalPKCS8PrivateKey(key); err == nil {
			public, err = x509.MarshalPKIXPublicKey(key.Public())
		}
		return private, public, err
	}
	return nil, nil, fmt.Errorf("a key of %s cannot be written", k.Algorithm)
}

// ParsePrivate reads a private key of an algorithm.
func ParsePrivate(a Algorithm, raw []byte) (crypto.Signer, error) {
	if a == RS256 {
		key, err := x509.ParsePKCS8PrivateKey(raw)
		if private, ok := key.(*rsa.PrivateKey); ok {
			return private, nil
		}
		return nil, fmt.Errorf("reading an RSA key: %w", err)
	}
	if a != EdDSA || len(raw) != ed25519.SeedSize {
		return nil, fmt.Errorf("the stored key is none of %s", a)
	}
	return ed25519.NewKeyFromSeed(raw), nil
}
