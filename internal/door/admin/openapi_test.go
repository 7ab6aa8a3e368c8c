package admin

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// TestDocumentIsWhatIsServed compares the OpenAPI document with the routes.
func TestDocumentIsWhatIsServed(t *testing.T) {
	var doc struct {
		Paths map[string]map[string]json.RawMessage `json:"paths"`
	}
	if err := json.Unmarshal(document(), &doc); err != nil {
		t.Fatal(err)
	}
	var described, served []string
	for path, methods := range doc.Paths {
		for method := range methods {
			described = append(described, strings.ToUpper(method)+" "+path)
		}
	}
	for _, r := range New(Config{}).Routes() {
		if strings.Contains(r.Pattern, " ") && !r.Open {
			served = append(served, r.Pattern)
		}
	}
	slices.Sort(described)
	slices.Sort(served)
	if !slices.Equal(described, served) {
		t.Errorf("described:\n%s\nserved:\n%s", strings.Join(described, "\n"), strings.Join(served, "\n"))
	}
}
