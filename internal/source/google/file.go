package google

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// The forms of a credentials file.
const (
	person  = "authorized_user"
	service = "service_account"
)

// file is an application default credentials file.
type file struct {
	Type         string `json:"type"`
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
	RefreshToken string `json:"refresh_token"`
	ClientEmail  string `json:"client_email"`
	PrivateKeyID string `json:"private_key_id"`
	PrivateKey   string `json:"private_key"`
	ProjectID    string `json:"project_id"`
	QuotaProject string `json:"quota_project_id"`
}

// parseFile reads one. It fails with Invalid and quotes nothing.
func parseFile(raw []byte) (file, error) {
	var f file
	switch {
	case json.Unmarshal(raw, &f) != nil:
		return file{}, fault.New(fault.Invalid, "it is not the JSON object that it should be")
	case f.Type == "":
		return file{}, fault.New(fault.Invalid, "it does not say what it is")
	case f.Type == person && (f.ClientID == "" || f.ClientSecret == "" || f.RefreshToken == ""):
		return file{}, fault.New(fault.Invalid, "it holds no refresh token")
	case f.Type == service && (f.ClientEmail == "" || f.PrivateKey == ""):
		return file{}, fault.New(fault.Invalid, "it holds no private key")
	}
	return f, nil
}

const (
	assertionLife = 10 * time.Minute
	minBits       = 2048
)

// assertion is a JWT by which a service account asks for a token (RFC 7523).
func (f file) assertion(audience string, now time.Time) (secret.Text, error) {
	key, err := f.key()
	if err != nil {
		return secret.Text{}, err
	}
	header := map[string]string{"alg": "RS256", "typ": "JWT", "kid": f.PrivateKeyID}
	claims := map[string]any{"iss": f.ClientEmail, "scope": scope, "aud": audience, "iat": now.Unix(), "exp": now.Add(assertionLife).Unix()}
	signed := encode(header) + "." + encode(claims)
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		return secret.Text{}, fault.New(fault.Invalid, "its private key cannot sign")
	}
	return secret.New(signed + "." + base64.RawURLEncoding.EncodeToString(signature)), nil
}

func (f file) key() (*rsa.PrivateKey, error) {
	bad := fault.New(fault.Invalid, "its private key cannot be read")
	block, _ := pem.Decode([]byte(f.PrivateKey))
	if block == nil {
		return nil, bad
	}
	if parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
		if key, ok := parsed.(*rsa.PrivateKey); ok && key.N.BitLen() >= minBits {
			return key, nil
		}
		return nil, bad
	}
	key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	if err != nil || key.N.BitLen() < minBits {
		return nil, bad
	}
	return key, nil
}

func encode(v any) string {
	raw, _ := json.Marshal(v) // maps of strings and numbers always encode
	return base64.RawURLEncoding.EncodeToString(raw)
}
