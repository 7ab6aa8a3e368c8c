package credential

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// MaxToken is the longest access token that is looked at or handed out, in
// characters: the most that Claude Code takes from a helper.
const MaxToken = 16384

// Claims is what an access token says about its holder. It is unverified.
type Claims struct {
	Issuer        string
	Subject       string
	DeviceSession string
	Organization  string
	Email         string
	Name          string
	Issued        time.Time // zero if it does not say
	Expires       time.Time // zero if it does not say
}

var errNoClaims = errors.New("the access token is not a JWT")

// ReadClaims reads the claims of a JWT (RFC 7519) without verifying it. It
// fails for a token that is not a JWT; the error does not quote the token.
func ReadClaims(token secret.Text) (Claims, error) {
	v := token.Reveal()
	if len(v) > MaxToken {
		return Claims{}, errNoClaims
	}
	parts := strings.Split(v, ".")
	if len(parts) != 3 {
		return Claims{}, errNoClaims
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return Claims{}, errNoClaims
	}
	var w struct {
		Iss   string  `json:"iss"`
		Sub   string  `json:"sub"`
		Sid   string  `json:"sid"`
		Org   string  `json:"org"`
		Email string  `json:"email"`
		Name  string  `json:"name"`
		Iat   numeric `json:"iat"`
		Exp   numeric `json:"exp"`
	}
	if json.Unmarshal(payload, &w) != nil {
		return Claims{}, errNoClaims
	}
	return Claims{Issuer: w.Iss, Subject: w.Sub, DeviceSession: w.Sid, Organization: w.Org, Email: w.Email,
		Name: w.Name, Issued: w.Iat.time(), Expires: w.Exp.time()}, nil
}

// numeric is a NumericDate of RFC 7519: seconds, possibly with a fraction.
type numeric float64

func (n numeric) time() time.Time {
	const year9999 = 253402300800
	if n <= 0 || n > year9999 {
		return time.Time{}
	}
	return time.Unix(int64(n), 0)
}

// Printable reports whether a token can be handed to a program that reads one
// line: printable ASCII without blanks, not empty, not longer than MaxToken.
func Printable(token secret.Text) bool {
	v := token.Reveal()
	if v == "" || len(v) > MaxToken {
		return false
	}
	for i := 0; i < len(v); i++ {
		if v[i] <= ' ' || v[i] > '~' {
			return false
		}
	}
	return true
}
