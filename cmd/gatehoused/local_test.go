package main

import "testing"

// TestAllowLocal wants the machine's own network closed unless the file opens it.
func TestAllowLocal(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{"": false, "upstreams: {}": false, "upstreams: {allow_local: false}": false, "upstreams: {allow_local: true}": true} {
		f, err := parseFile([]byte(text))
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		m := &Main{Getenv: func(string) string { return "" }, Stderr: discard{}}
		if cfg, err := m.config(f); err != nil || cfg.AllowLocal != want {
			t.Errorf("%q: allowed: %v, %v", text, cfg.AllowLocal, err)
		}
	}
	if _, err := parseFile([]byte("upstreams: {allow_local: perhaps}")); err == nil {
		t.Error("a word was taken for a switch")
	}
}

// TestSelfService wants people with an account to be able to make organizations,
// and strangers not, unless the operator says otherwise, in plain words.
func TestSelfService(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][2]bool{"": {false, false}, "organizations: {self_service: true}": {false, false},
		"organizations: {self_service: anyone}": {false, true}, "organizations: {self_service: false}": {true, false}} {
		f, err := parseFile([]byte(text))
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		m := &Main{Getenv: func(string) string { return "" }, Stderr: discard{}}
		if cfg, err := m.config(f); err != nil || [2]bool{cfg.ClosedOrganizations, cfg.OpenToStrangers} != want {
			t.Errorf("%q: closed: %v, open to strangers: %v, %v", text, cfg.ClosedOrganizations, cfg.OpenToStrangers, err)
		}
	}
	m := &Main{Getenv: func(string) string { return "" }, Stderr: discard{}}
	f := file{}
	f.Organizations.SelfService = "sometimes"
	if _, err := m.config(f); err == nil {
		t.Error("a word was taken for a switch")
	}
}
