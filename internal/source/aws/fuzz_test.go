package aws

import (
	"strings"
	"testing"
)

func FuzzINI(f *testing.F) {
	f.Add([]byte("[profile work]\naws_access_key_id = AKIA # x\n  nested = 1\n[default]\n"))
	f.Add([]byte("[\x00]\n=\n[a][b]\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		for name, section := range parseINI(raw) {
			for key, value := range section {
				if strings.ContainsAny(name+key+value, "\n") || key != strings.ToLower(key) || value != strings.TrimSpace(value) {
					t.Errorf("%q %q %q", name, key, value)
				}
			}
		}
	})
}

func FuzzExport(f *testing.F) {
	f.Add([]byte(`{"Version":1,"AccessKeyId":"A","SecretAccessKey":"canary7","SessionToken":"t","Expiration":"2026-11-25T12:00:00Z"}`))
	f.Add([]byte(`{"Credentials":{"AccessKeyId":"A","SecretAccessKey":"canary7","Expiration":"soon"}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		keys, _, err := parseExport(raw)
		if err == nil && (keys.ID == "" || keys.Secret.Empty()) {
			t.Errorf("%q gives no keys and no error", raw)
		}
		if err != nil && strings.Contains(err.Error(), "canary7") {
			t.Error(err)
		}
	})
}
