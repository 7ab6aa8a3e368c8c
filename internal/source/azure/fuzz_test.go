package azure

import (
	"encoding/json"
	"strings"
	"testing"
)

func FuzzTool(f *testing.F) {
	f.Add([]byte(`{"accessToken":"canary7","expires_on":1795352810,"tokenType":"Bearer"}`))
	f.Add([]byte(`{"accessToken":"canary7","expires_on":"NaN","tokenType":"pop"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		token, _, err := parseTool(raw)
		if err == nil && token.Empty() {
			t.Errorf("%q gives neither token nor error", raw)
		}
		if err != nil && strings.Contains(err.Error(), "canary7") {
			t.Error(err)
		}
	})
}

func FuzzNumber(f *testing.F) {
	for _, s := range []string{`1`, `"1795352810"`, `"NaN"`, `"+Inf"`, `-1e300`, `null`, `{}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var n number
		if json.Unmarshal([]byte(s), &n) == nil && n.time().Year() > 9999 {
			t.Errorf("%q is the year %d", s, n.time().Year())
		}
	})
}
