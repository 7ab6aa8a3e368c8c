package admin

import (
	"encoding/json"
	"testing"

	"github.com/gatehouse-dev/gatehouse/api"
)

// FuzzDecode reads bodies as four types. What is accepted has no member but the
// documented ones, by exactly these names.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{`{"name":"x","tags":{"a":"1"}}`, `{"limits":[{"type":"requests_per_minute","value":null}]}`, `{"description":null}`,
		`{"role":"user","Role":"owner"}`, `{"tags":[]}`, `{"limits":{}}`, `{"limits":[[]]}`, `{"description":{"a":1,"a":2}}`, `{`, `{"a"`, `{"rol\u0065":"user"}`, ` {} x`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		for _, into := range []any{&api.WorkspaceNew{}, &api.WorkspaceRateLimitUpdate{}, &api.ServiceAccountUpdate{}, &api.UserUpdate{}} {
			if decode(raw, into) != nil {
				continue
			}
			var loose map[string]json.RawMessage
			if err := json.Unmarshal([]byte(raw), &loose); err != nil {
				t.Fatalf("%q is accepted: %v", raw, err)
			}
			allowed := map[string]bool{"name": true, "display_color": true, "tags": true, "limits": true, "description": true, "organization_role": true, "role": true}
			for name := range loose {
				if !allowed[name] {
					t.Errorf("%q is accepted in %q", name, raw)
				}
			}
		}
	})
}
