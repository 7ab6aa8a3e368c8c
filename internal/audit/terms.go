package audit

import (
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxTerms = 24 // of an entry
	maxTerm  = 80 // bytes of one
	maxWords = 5  // of what is sought
)

// Terms are what an event can be found by: the ids of who and what, and the words
// of its detail, in lower case, each once. They are bounded in number and length,
// whatever is in the detail.
//
// A search looks for what begins with a word, so the beginning of a term needs
// none of its own. The domain of whoever acts is left out: it would lead to
// nearly everything.
func Terms(e Event) []string {
	t := terms{}
	t.add(e.Actor)
	t.add(e.Target)
	keys := slices.SortedFunc(maps.Keys(e.Detail), func(a, b string) int {
		return strings.Compare(importance(a), importance(b))
	})
	for _, key := range keys {
		if key == "user_agent" {
			continue
		}
		// What follows the most that could be kept is not even looked at.
		for _, chunk := range chunks(e.Detail[key], maxTerms) {
			t.addChunk(chunk, key == "by")
		}
	}
	return t
}

// importance orders details, as only so many terms are kept.
func importance(key string) string {
	if at := slices.Index([]string{"email", "by", "name", "of", "session", "address"}, key); at >= 0 {
		return string(rune('0' + at))
	}
	return "z" + key
}

// Words are what a person seeks, in the form of terms, and whether some of it
// was too much.
func Words(sought string) (words []string, more bool) {
	t := terms{}
	all := chunks(sought, 4*maxWords)
	for _, chunk := range all {
		if len(t) == maxWords {
			return t, true
		}
		t.add(chunk)
	}
	return t, false
}

type terms []string

func (t *terms) add(term string) {
	if len(term) > maxTerm {
		term = strings.ToValidUTF8(term[:maxTerm], "")
	}
	term = strings.ToLower(term)
	if len(term) > maxTerm { // some letters are longer in lower case
		term = strings.ToValidUTF8(term[:maxTerm], "")
	}
	if term != "" && len(*t) < maxTerms && !slices.Contains(*t, term) {
		*t = append(*t, term)
	}
}

// addChunk adds a chunk and those of its parts that are not its beginning.
func (t *terms) addChunk(chunk string, actor bool) {
	t.add(chunk)
	local, domain, isAddress := strings.Cut(chunk, "@")
	if isAddress && !actor {
		t.add(domain)
	}
	for i, part := range strings.FieldsFunc(local, func(r rune) bool { return !wordy(r) }) {
		if i > 0 && utf8.RuneCountInString(part) > 1 {
			t.add(part)
		}
	}
}

// chunks are the first so many pieces of a text that stand between spaces,
// without the punctuation around them.
func chunks(text string, most int) []string {
	if limit := most * 4 * maxTerm; len(text) > limit {
		text = text[:limit]
	}
	var all []string
	for chunk := range strings.FieldsSeq(strings.ToValidUTF8(text, " ")) {
		chunk = strings.Map(func(r rune) rune {
			if unicode.In(r, unicode.C) {
				return -1
			}
			return r
		}, chunk)
		chunk = strings.TrimFunc(chunk, func(r rune) bool { return !wordy(r) })
		if chunk == "" {
			continue
		}
		if all = append(all, chunk); len(all) == most {
			break
		}
	}
	return all
}

func wordy(r rune) bool {
	return unicode.In(r, unicode.L, unicode.N, unicode.M) || unicode.In(r, unicode.So)
}
