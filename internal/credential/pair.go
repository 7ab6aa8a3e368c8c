package credential

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// Version is the format version of the JSON form.
const Version = "1.0"

// MaxEncoded is the largest JSON form that Decode accepts, in bytes.
const MaxEncoded = 64 << 10

const typeOAuthToken = "oauth_token"

// Pair is one access token with the refresh token that renews it. The zero Pair
// holds nothing.
type Pair struct {
	Access  secret.Text
	Refresh secret.Text
	// Expires is when the access token ends, by this machine's clock. Zero means
	// that nobody said; such a token is never taken for fresh.
	Expires time.Time
}

type wire struct {
	Version      string `json:"version,omitempty"`
	Type         string `json:"type"`
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token,omitempty"`
	ExpiresAt    *int64 `json:"expires_at,omitempty"`
}

// Encode returns the JSON form of a pair. It fails with fault.Invalid if that is
// larger than MaxEncoded.
func Encode(p Pair) ([]byte, error) {
	w := wire{Version: Version, Type: typeOAuthToken, AccessToken: p.Access.Reveal(), RefreshToken: p.Refresh.Reveal()}
	if !p.Expires.IsZero() {
		at := p.Expires.Unix()
		w.ExpiresAt = &at
	}
	b, err := json.MarshalIndent(w, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encoding the credential: %w", err)
	}
	if b = append(b, '\n'); len(b) > MaxEncoded {
		return nil, fault.New(fault.Invalid, "the credential is larger than %d bytes", MaxEncoded).WithHint("gatehouse login")
	}
	return b, nil
}

// Decode reads the JSON form. Unknown keys are ignored, as the format asks. An
// error never quotes the input.
func Decode(b []byte) (Pair, error) {
	if len(b) > MaxEncoded {
		return Pair{}, fmt.Errorf("the credential is larger than %d bytes", MaxEncoded)
	}
	var w wire
	if json.Unmarshal(b, &w) != nil {
		return Pair{}, fmt.Errorf("the credential is not the JSON object it should be")
	}
	if w.Type != "" && w.Type != typeOAuthToken {
		return Pair{}, fmt.Errorf("the credential is of another type")
	}
	if w.AccessToken == "" && w.RefreshToken == "" {
		return Pair{}, fmt.Errorf("the credential holds no token")
	}
	p := Pair{Access: secret.New(w.AccessToken), Refresh: secret.New(w.RefreshToken)}
	if w.ExpiresAt != nil {
		p.Expires = time.Unix(*w.ExpiresAt, 0)
	}
	return p, nil
}

// SameChain reports whether both pairs hold the same refresh token, that is,
// whether nobody has renewed between them.
func (p Pair) SameChain(other Pair) bool { return p.Refresh.Equal(other.Refresh) }
