package google

import (
	"strings"
	"testing"
	"time"
)

func FuzzFile(f *testing.F) {
	f.Add([]byte(`{"type":"authorized_user","client_id":"i","client_secret":"canary7","refresh_token":"canary7"}`))
	f.Add([]byte(`{"type":"service_account","client_email":"e","private_key":"-----BEGIN PRIVATE KEY-----\ncanary7\n-----END PRIVATE KEY-----\n"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		file, err := parseFile(raw)
		if err == nil && file.Type == service {
			_, err = file.assertion("https://aud", time.Unix(0, 0))
		}
		if err != nil && strings.Contains(err.Error(), "canary7") {
			t.Error(err)
		}
	})
}
