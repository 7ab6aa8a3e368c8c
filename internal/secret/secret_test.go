package secret_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

func TestTextIsNeverPrinted(t *testing.T) {
	const value = "canary-7f3a"
	type holder struct{ S secret.Text }
	h := holder{secret.New(value)}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb, h)
		fmt.Fprintf(&out, verb, h.S)
		fmt.Fprintf(&out, verb, &h)
	}
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "s", h.S, "h", h)
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "s", h.S, "h", h)
	b, err := json.Marshal(map[string]any{"h": h, "s": h.S})
	if err != nil {
		t.Fatal(err)
	}
	out.Write(b)
	if got := out.String(); strings.Contains(got, value) || strings.Contains(got, fmt.Sprintf("%x", value)) {
		t.Errorf("the secret is in the output: %s", got)
	}
	if h.S.Reveal() != value {
		t.Errorf("Reveal() = %q", h.S.Reveal())
	}
}

func TestMint(t *testing.T) {
	token := secret.Mint(secret.APIKey)
	v := token.Reveal()
	if len(v) != len("sk-gate-api01-")+49 || !secret.Is(secret.APIKey, v) {
		t.Fatalf("minted %d characters, Is = %v", len(v), secret.Is(secret.APIKey, v))
	}
	if secret.Is(secret.AdminKey, v) {
		t.Error("an API key passes for an admin key")
	}
	if hint := secret.Hint(token); len(hint) != len("sk-gate-api01-R2D...igAA") || !strings.HasPrefix(v, hint[:17]) {
		t.Errorf("Hint = %q", hint)
	}
	for i := len(secret.APIKey); i < len(v); i++ {
		typo := []byte(v)
		typo[i] = 'a' + (typo[i]+1)%26
		if typo[i] != v[i] && secret.Is(secret.APIKey, string(typo)) {
			t.Errorf("a wrong character at %d is not noticed", i)
		}
	}
}

func FuzzIs(f *testing.F) {
	f.Add("sk-gate-api01-")
	f.Add(secret.Mint(secret.APIKey).Reveal())
	f.Add("sk-ant-api03-x")
	f.Fuzz(func(t *testing.T, s string) {
		if secret.Is(secret.APIKey, s) && secret.Foreign(s) {
			t.Error("both ours and foreign")
		}
		secret.Hint(secret.New(s))
	})
}
