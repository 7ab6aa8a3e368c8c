package totp

import (
	"bytes"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"encoding/base64"
	"fmt"
	"image/png"
	"net/url"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
)

const (
	period      = 30 // seconds
	skew        = 1  // steps
	secretBytes = 20
	digits      = 6
	pictureSize = 264 // pixels
)

// NewSecret makes a secret, in base32 as apps want it.
func NewSecret() secret.Text {
	raw := make([]byte, secretBytes)
	rand.Read(raw)
	return secret.New(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(raw))
}

// Clean is a code without the blanks that people type, and whether what is left
// has the form of one.
func Clean(typed string) (code string, ok bool) {
	if len(typed) > 4*digits {
		return "", false
	}
	code = strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' || r == '\u00a0' {
			return -1
		}
		return r
	}, typed)
	return code, len(code) == digits && strings.Trim(code, "0123456789") == ""
}

// Check returns the step of a code if it is right at a moment and later than the
// last one used.
func Check(of secret.Text, typed string, at time.Time, last int64) (step int64, ok bool) {
	code, formed := Clean(typed)
	if !formed {
		return 0, false
	}
	now := at.Unix() / period
	for s := now - skew; s <= now+skew; s++ {
		want, err := Code(of, s)
		// All steps are computed whatever matches.
		if err == nil && subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 && s > last {
			step, ok = s, true
		}
	}
	return step, ok
}

// Step is the step that a moment is in.
func Step(at time.Time) int64 { return at.Unix() / period }

// Code is the code of a step.
func Code(of secret.Text, step int64) (string, error) {
	if step < 0 {
		return "", fmt.Errorf("the step %d is before all time", step)
	}
	return hotp.GenerateCodeCustom(of.Reveal(), uint64(step), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
}

// URI is what the picture says: the secret, and whose it is.
func URI(of secret.Text, issuer, account string) secret.Text {
	query := url.Values{"secret": {of.Reveal()}, "issuer": {issuer}, "algorithm": {"SHA1"}, "digits": {"6"}, "period": {"30"}}
	// Apps read a plus sign as one.
	return secret.New("otpauth://totp/" + url.PathEscape(issuer+":"+account) + "?" + strings.ReplaceAll(query.Encode(), "+", "%20"))
}

// Picture is the URI as a QR code, for an img's src.
func Picture(uri secret.Text) (secret.Text, error) {
	key, err := otp.NewKeyFromURL(uri.Reveal())
	if err != nil {
		return secret.Text{}, fmt.Errorf("reading the URI of a secret: it is not one")
	}
	image, err := key.Image(pictureSize, pictureSize)
	if err != nil {
		return secret.Text{}, fmt.Errorf("drawing a QR code: %w", err)
	}
	var out bytes.Buffer
	if err := png.Encode(&out, image); err != nil {
		return secret.Text{}, fmt.Errorf("drawing a QR code: %w", err)
	}
	return secret.New("data:image/png;base64," + base64.StdEncoding.EncodeToString(out.Bytes())), nil
}
