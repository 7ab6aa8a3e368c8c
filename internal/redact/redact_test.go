package redact_test

import (
	"strings"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/jsontext"
	"github.com/gatehouse-dev/gatehouse/internal/redact"
)

func TestLine(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`  "ANTHROPIC_AUTH_TOKEN": "canary",`:                `  "ANTHROPIC_AUTH_TOKEN": "[redacted]",`,
		`"apiKeyHelper": "/usr/bin/gatehouse token"`:         `"apiKeyHelper": "/usr/bin/gatehouse token"`,
		`{"name":"X_KEY","value":"canary\" more"}`:           `{"name":"X_KEY","value":"[redacted]"}`,
		`{"name":"URL","value":"https://gate"}`:              `{"name":"URL","value":"https://gate"}`,
		`"url": "https://ada:canary@host/x"`:                 `"url": "https://[redacted]@host/x"`,
		`// was sk-ant-api03-canary-canary`:                  `// was [redacted]`,
		`"ANTHROPIC_CUSTOM_HEADERS":"X: canary", "a": "b"`:   `"ANTHROPIC_CUSTOM_HEADERS":"[redacted]", "a": "b"`,
		`"theme": "dark"`:                                    `"theme": "dark"`,
		`"x": "Bearer canary.canary"`:                        `"x": "[redacted]"`,
		`"PLAIN": "eyJhbGciOiJFZERTQSJ9.eyJjYW5hcnkiOjF9.x"`: `"PLAIN": "[redacted]"`,
	} {
		if got := redact.Line(in, "https://gate"); got != want {
			t.Errorf("%s\nbecomes %s", in, got)
		}
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	in := `{ // canary
		"env": {"ANTHROPIC_BASE_URL": "https://canary", "N": 1}, "model": "opus", "theme": "canary of two words", "canary in a key, with spaces": 1,
		"sk-ant-canary": 2, "permissions": {"allow": ["Bash(canary)"], "defaultMode": "plan"}, "secretNumber": 4711, "on": true, "none": null, "empty": "",}`
	got, err := redact.Settings([]byte(in), jsontext.Comments)
	if err != nil {
		t.Fatal(err)
	}
	for _, gone := range []string{"canary", "4711"} {
		if strings.Contains(string(got), gone) {
			t.Errorf("%s is still in %s", gone, got)
		}
	}
	for _, kept := range []string{`"model": "opus"`, `"defaultMode": "plan"`, `"ANTHROPIC_BASE_URL": "[redacted]"`, `"N": 1`, `"on": true`, `"empty": ""`} {
		if !strings.Contains(string(got), kept) {
			t.Errorf("%s is not in %s", kept, got)
		}
	}
}

// FuzzSettings hides a marker in any text of any file.
func FuzzSettings(f *testing.F) {
	f.Add(`{"a":"x","b":[{"c":"x"}]}`)
	f.Add(`{"env":{"x y":"x"}}`)
	f.Fuzz(func(t *testing.T, in string) {
		in = strings.ReplaceAll(in, "x", "canary canary")
		if got, err := redact.Settings([]byte(in), jsontext.Comments); err == nil && strings.Contains(string(got), "canary canary") {
			t.Errorf("%q becomes %s", in, got)
		}
	})
}
