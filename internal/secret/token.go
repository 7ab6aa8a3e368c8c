package secret

import (
	"crypto/rand"
	"crypto/sha256"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/id"
)

// Kind is the prefix of a credential string: it says what the credential is.
type Kind string

const (
	APIKey       Kind = "sk-gate-api01-"
	AdminKey     Kind = "sk-gate-admin01-"
	RefreshToken Kind = "sk-gate-rt01-"
	DeviceCode   Kind = "sk-gate-dc01-"   // polls for a device authorization
	AuthCode     Kind = "sk-gate-ac01-"   // an authorization code
	BrowserToken Kind = "sk-gate-web01-"  // a console session's cookie
	SignInLink   Kind = "sk-gate-link01-" // a one-time link
	InviteToken  Kind = "sk-gate-inv01-"  // an invitation's link
	MailToken    Kind = "sk-gate-mail01-" // a link that proves who reads an address
	StepToken    Kind = "sk-gate-step01-" // a cookie between two steps of a sign-in
)

const (
	bodyDigits = 43 // of base62: 256 bits
	sumDigits  = 6
)

// Mint makes a new random credential of a kind.
func Mint(kind Kind) Text {
	var raw [32]byte
	rand.Read(raw[:])
	return FromBytes(kind, raw)
}

// FromBytes makes the credential that stands for the given 256 bits. It is for
// credentials that are derived and not drawn.
func FromBytes(kind Kind, raw [32]byte) Text {
	body := id.Base62(raw[:], bodyDigits)
	return New(string(kind) + body + checksum(string(kind)+body))
}

// Is reports whether value has the form of a credential of the kind: prefix,
// length, alphabet and checksum. It says nothing about whether it was issued.
func Is(kind Kind, value string) bool {
	body, ok := strings.CutPrefix(value, string(kind))
	if !ok || len(body) != bodyDigits+sumDigits || !id.IsBase62(body) {
		return false
	}
	cut := len(value) - sumDigits
	return checksum(value[:cut]) == value[cut:]
}

// Foreign reports whether value is recognisably somebody else's credential for
// the Anthropic API or Claude, which must be neither stored, logged nor sent on.
func Foreign(value string) bool { return strings.HasPrefix(value, "sk-ant-") }

// Hint is the part of a credential that may be shown: "sk-gate-api01-R2D...igAA".
func Hint(t Text) string {
	v := t.Reveal()
	dash := strings.LastIndexByte(v, '-')
	if dash < 0 || len(v)-dash < 12 {
		return ""
	}
	return v[:dash+4] + "..." + v[len(v)-4:]
}

func checksum(s string) string {
	sum := sha256.Sum256([]byte(s))
	return id.Base62(sum[:5], 7)[1:]
}
