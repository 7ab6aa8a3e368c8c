package sdk

import (
	"strings"
	"testing"
)

func FuzzConfig(f *testing.F) {
	f.Add([]byte(`{"version":"1.0","authentication":{"type":"user_oauth","client_id":"c"},"base_url":"http://user:canary7@h/p?q"}`))
	f.Add([]byte(`{"authentication":{"type":"oidc_federation","identity_token":{"source":"file","path":"p"}}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := parseConfig(raw)
		if err != nil {
			if strings.Contains(err.Error(), "canary7") {
				t.Error(err)
			}
			return
		}
		about := loaded{config: c, name: "x"}.about()
		if about.Payer == "" || about.Origin == "" {
			t.Errorf("%+v", about)
		}
	})
}
