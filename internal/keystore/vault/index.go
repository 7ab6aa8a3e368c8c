package vault

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/credential"
)

const (
	inlineMark = "g1"
	splitMark  = "g2"
	sumDigits  = 16
	genDigits  = 8
	maxParts   = 128
)

// maxText is the largest base64 form of a pair.
var maxText = base64.RawURLEncoding.EncodedLen(credential.MaxEncoded)

var errDamaged = errors.New("what is stored there is damaged")

// index is what a profile's item says: the text itself, or where its parts are.
type index struct {
	sum        string
	text       string
	generation string // empty: the text is here
	parts      int
}

func sum(text string) string {
	s := sha256.Sum256([]byte(text))
	return hex.EncodeToString(s[:sumDigits/2])
}

func (i index) String() string {
	if i.generation == "" {
		return strings.Join([]string{inlineMark, i.sum, i.text}, ".")
	}
	return strings.Join([]string{splitMark, i.sum, i.generation, strconv.Itoa(i.parts)}, ".")
}

func parse(value string) (index, error) {
	if len(value) > maxText+64 {
		return index{}, errDamaged
	}
	f := strings.Split(value, ".")
	switch {
	case len(f) == 3 && f[0] == inlineMark && isHex(f[1], sumDigits) && sum(f[2]) == f[1]:
		return index{sum: f[1], text: f[2]}, nil
	case len(f) == 4 && f[0] == splitMark && isHex(f[1], sumDigits) && isHex(f[2], genDigits):
		n, err := strconv.Atoi(f[3])
		if err == nil && n >= 1 && n <= maxParts && strconv.Itoa(n) == f[3] {
			return index{sum: f[1], generation: f[2], parts: n}, nil
		}
	}
	return index{}, errDamaged
}

func isHex(s string, digits int) bool {
	return len(s) == digits && strings.Trim(s, "0123456789abcdef") == ""
}

// pack and unpack are between a pair and its text.
func pack(pair credential.Pair) (string, error) {
	b, err := credential.Encode(pair)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

func unpack(text string) (credential.Pair, error) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return credential.Pair{}, errDamaged
	}
	return credential.Decode(b)
}
