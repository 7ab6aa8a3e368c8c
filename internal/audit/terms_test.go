package audit_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
)

func TestTerms(t *testing.T) {
	for _, c := range []struct {
		what  string
		event audit.Event
		want  []string
	}{
		{"a person's address", audit.Event{Actor: "user_A", Target: "apikey_B", Detail: audit.Detail{"email": "Olga.Meier@Acme.Example", "by": "root@acme.example"}},
			[]string{"user_a", "apikey_b", "olga.meier@acme.example", "acme.example", "meier", "root@acme.example"}},
		{"a name", audit.Event{Detail: audit.Detail{"name": "“Nightly tests” on build-3, Zürich"}},
			[]string{"nightly", "tests", "on", "build-3", "zürich"}},
		{"an address of a network", audit.Event{Detail: audit.Detail{"address": "10.1.2.33"}}, []string{"10.1.2.33", "33"}},
		{"a browser's long name", audit.Event{Detail: audit.Detail{"user_agent": "Mozilla/5.0 (X11)"}}, nil},
		{"control characters and marks that turn text round", audit.Event{Detail: audit.Detail{"name": "ab\u202ecd\x00e"}}, []string{"abcde"}},
	} {
		if got := audit.Terms(c.event); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.what, got, c.want)
		}
	}
}

func TestWords(t *testing.T) {
	words, more := audit.Words("  Olga@ “build-3” 10.1. one two three four ")
	if !slices.Equal(words, []string{"olga", "build-3", "10.1", "one", "two"}) || !more {
		t.Errorf("%q, %v", words, more)
	}
	if words, more := audit.Words(" ' -- "); len(words) != 0 || more {
		t.Errorf("nothing is sought: %q, %v", words, more)
	}
}

// FuzzTerms wants terms to be few, short, lower-cased text, and what was put in
// to be found by itself.
func FuzzTerms(f *testing.F) {
	for _, s := range []string{"", "Olga.Meier@acme.example", "a\xff\xfeb", strings.Repeat("İ", 300), "“x”", "a@b@c", strings.Repeat("a b.c-d ", 500)} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, name, sought string) {
		got := audit.Terms(audit.Event{Actor: "user_x", Detail: audit.Detail{"name": name, "by": name}})
		words, _ := audit.Words(sought)
		if len(got) > 24 || len(words) > 5 {
			t.Errorf("%d terms, %d words", len(got), len(words))
		}
		for _, term := range slices.Concat(got, words) {
			if len(term) == 0 || len(term) > 80 || !utf8.ValidString(term) || strings.ContainsAny(term, " \x00\n") {
				t.Errorf("%q is no term", term)
			}
		}
		if first, _ := audit.Words(name); len(first) > 0 && !slices.Contains(got, first[0]) {
			t.Errorf("%q is not found by %q, only by %q", name, first[0], got)
		}
	})
}
