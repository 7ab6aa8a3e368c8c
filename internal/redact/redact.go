package redact

import (
	"encoding/json"
	"regexp"
	"strings"
	"sync"

	"github.com/gatehouse-dev/gatehouse/internal/jsontext"
)

// Hidden stands for what is left out.
const Hidden = "[redacted]"

// secretName are words in the names of what is secret.
var secretName = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)(token|secret|passw|passphrase|api_?key|private|credential|authorization|cookie|header|bearer|signature)`)
})

// secretForm is what credentials look like: ours, Anthropic's, JWTs, those of
// forges and clouds, and a password in an address.
var secretForm = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`sk-[A-Za-z0-9_-]{6,}|eyJ[A-Za-z0-9_-]{5,}(\.[A-Za-z0-9_-]*)*|gh[pousr]_[A-Za-z0-9]{10,}|github_pat_\w{10,}|xox[a-z]-[\w-]{6,}|glpat-[\w-]{6,}|(AKIA|ASIA)[A-Z0-9]{12,}|AIza[\w-]{20,}|ya29\.[\w.-]{6,}|(?i:bearer|basic)\s+[\w+/=.~-]{6,}`)
})

var password = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(://)[^/\s"'@]+@`) })

// Secret reports whether a name is one of something secret.
func Secret(name string) bool {
	return secretName().MatchString(name) && !strings.HasSuffix(name, "Helper")
}

var member = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`"((?:[^"\\]|\\.)*)"(\s*:\s*)"((?:[^"\\]|\\.)*)"`) })

// Line returns one line of JSON with the values left out that look secret, but
// for the harmless values, which are given as texts.
func Line(line string, harmless ...string) string {
	line = member().ReplaceAllStringFunc(line, func(m string) string {
		part := member().FindStringSubmatch(m)
		var value string
		if json.Unmarshal([]byte(`"`+part[3]+`"`), &value) == nil {
			for _, h := range harmless {
				if value == h {
					return m
				}
			}
		}
		if part[1] == "value" || Secret(part[1]) {
			return `"` + part[1] + `"` + part[2] + `"` + Hidden + `"`
		}
		return m
	})
	return Text(line)
}

// Text returns a sentence without the given secrets, what has the form of a
// credential, and passwords in addresses.
func Text(s string, secrets ...string) string {
	for _, secret := range secrets {
		if len(secret) >= 4 { // shorter ones are parts of words
			s = strings.ReplaceAll(s, secret, Hidden)
		}
	}
	s = password().ReplaceAllString(s, "${1}"+Hidden+"@")
	return secretForm().ReplaceAllString(s, Hidden)
}

// harmless are the keys of settings whose texts tell how something is set and
// nothing more, where the text is one word.
var harmless = map[string]bool{"model": true, "theme": true, "forceLoginMethod": true, "defaultMode": true, "disableBypassPermissionsMode": true,
	"disableAutoMode": true, "outputStyle": true, "autoUpdatesChannel": true, "type": true, "minimumVersion": true, "requiredMinimumVersion": true, "requiredMaximumVersion": true}

var word = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9.@_\[\]-]{1,40}$`) })

// Settings describes a settings file without what may be secret: keys, numbers
// and switches stay, texts do not, and neither do keys that are no names. It
// fails as jsontext.Parse does.
func Settings(b []byte, d jsontext.Dialect) (json.RawMessage, error) {
	t, err := jsontext.Parse(b, d)
	if err != nil {
		return nil, err
	}
	var whole any
	if err := json.Unmarshal(t.JSON(), &whole); err != nil {
		return nil, err
	}
	return json.MarshalIndent(strip(whole, "", 0), "", "  ")
}

const maxDepth = 32

func strip(v any, key string, depth int) any {
	if depth > maxDepth {
		return Hidden
	}
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, inner := range v {
			if !word().MatchString(k) || secretForm().MatchString(k) {
				k = Hidden
			}
			out[k] = strip(inner, k, depth+1)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, inner := range v {
			out[i] = strip(inner, "", depth+1)
		}
		return out
	case string:
		if harmless[key] && word().MatchString(v) && !secretForm().MatchString(v) {
			return v
		}
		if v == "" {
			return ""
		}
		return Hidden
	case float64:
		if Secret(key) {
			return Hidden
		}
	}
	return v
}
