package price

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func someTerms(t *rapid.T) Terms { return Terms(rapid.IntRange(0, AllTerms-1).Draw(t, "terms")) }

func TestTerms(t *testing.T) {
	t.Parallel()
	million := Tokens{Input: 1_000_000, Output: 1_000_000}
	for _, tt := range []struct {
		model string
		under Terms
		want  string // of a million of each, in dollars
	}{
		{"claude-opus-5", 0, "30"},
		{"claude-opus-5", Regional, "33"},
		{"eu.anthropic.claude-opus-4-6-v1", Regional, "33"},
		{"claude-sonnet-4-5@20250929", Regional, "19.8"},
		{"claude-sonnet-4-20250514", Regional, "18"}, // older than the difference
		{"claude-sonnet-4-5-20250929", Domestic, "18"},
		{"claude-fable-5", Domestic, "66"},
		{"claude-opus-4-8", Fast, "60"},
		{"claude-opus-4-8", Fast | Domestic, "66"},
		{"claude-sonnet-5", Fast, "12"},
	} {
		got, known := Default().Cost(tt.model, today, million, tt.under)
		var want amount
		if err := want.UnmarshalText([]byte(tt.want)); err != nil {
			t.Fatal(err)
		}
		if got != int64(want)*1_000_000 || !known {
			t.Errorf("%s%s costs %d nano-dollars, not %s dollars", tt.model, tt.under, got, tt.want)
		}
	}
	early := time.Date(2025, 9, 28, 0, 0, 0, 0, time.UTC)
	list, _ := Default().Cost("claude-haiku-4-5", early, million, 0)
	if got, _ := Default().Cost("claude-haiku-4-5", early, million, Regional); got != list {
		t.Errorf("before the first day it costs %d", got)
	}
}

// The marks in the ledger are read as they were written, whatever else is there.
func TestTermsInTheLedger(t *testing.T) {
	t.Parallel()
	for under := range Terms(AllTerms) {
		for _, end := range []string{"", "+dearest"} {
			if got := TermsOf("2026-11-01" + under.String() + end); got != under {
				t.Errorf("%q is read as %q", under.String()+end, got)
			}
		}
	}
	if got := TermsOf("regional"); got != 0 {
		t.Errorf("a version is read as %q", got)
	}
}

func TestModifiersAreChecked(t *testing.T) {
	t.Parallel()
	const model = `{"id":"m","name":"M","context":1,"max_output":1,"prices":[{"from":"2026-01-01","input":"3","output":"5","cache_read":"0.1","cache_write_5m":"1","cache_write_1h":"2"}]}`
	for _, tt := range []struct{ modifier, fails string }{
		{`{"name":"fast","factor":"2","from":"2026-01-01","models":["m"]}`, ""},
		{`{"name":"fast","factor":"2","models":["m"]}`, "first day"},
		{`{"name":"fast","factor":"0","from":"2026-01-01"}`, "factor"},
		{`{"name":"fast","factor":"4.001","from":"2026-01-01"}`, "factor"},
		{`{"name":"fast","factor":"2","from":"2026-01-01","models":["n"]}`, `no model "n"`},
	} {
		_, err := Parse([]byte(`{"version":"1","models":[` + model + `],"modifiers":[` + tt.modifier + `]}`))
		if (err == nil) != (tt.fails == "") || err != nil && !strings.Contains(err.Error(), tt.fails) {
			t.Errorf("%s: %v", tt.modifier, err)
		}
	}
}
