package secret_test

import (
	"strings"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

func TestRedact(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"the token expired, run: vault login":                               "the token expired, run: vault login",
		"error: code 403 from /usr/local/lib/python3.11/site.py line 12":    "error: code 403 from /usr/local/lib/python3.11/site.py line 12",
		"key sk-ant-api03-abcdefgh is bad":                                  "key [redacted] is bad",
		"Authorization: Bearer abc.def-ghi":                                 "Authorization: Bearer [redacted]",
		"token=hunter2hunter, again":                                        "token=[redacted], again",
		`{"refresh_token":"1//0abcdef","x":1}`:                              `{"refresh_token":"[redacted]","x":1}`,
		"got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln":                     "got [redacted]",
		"AWS says AKIAIOSFODNN7EXAMPLE":                                     "AWS says [redacted]",
		"secret wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY":                   "secret [redacted]",
		"https://ada:pa55word@proxy.example.com/x":                          "https://[redacted]@proxy.example.com/x",
		"at 0123456789abcdef0123456789abcdef":                               "at [redacted]",
		"-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\nend": "[redacted]\nend",
		"-----BEGIN PRIVATE KEY-----\nMIIE":                                 "[redacted]",
	} {
		if got := secret.Redact(text); got != want {
			t.Errorf("%q\n got %q\nwant %q", text, got, want)
		}
	}
	if got := secret.Redact("it said pass!word", secret.New("pass!word")); strings.Contains(got, "pass!word") {
		t.Error("a known secret stays")
	}
}

func FuzzRedact(f *testing.F) {
	f.Add("token: ", "abc", " end")
	f.Fuzz(func(t *testing.T, before, middle, after string) {
		got := secret.Redact(before+"sk-gate-api01-"+"R2D2C3POR2D2C3PO"+after, secret.New(middle))
		if strings.Contains(got, "R2D2C3POR2D2C3PO") && before == "" && after == "" {
			t.Errorf("%q", got)
		}
	})
}
