package price

import (
	"strings"
	"time"
)

// Terms are the conditions of a request under which a price is multiplied. They are a
// set; 0 is the list price.
type Terms uint8

const (
	Regional Terms = 1 << iota // a regional or multi-region endpoint of Amazon Bedrock or Google Cloud
	Domestic                   // inference in the United States only
	Fast                       // fast mode
)

// terms are the conditions by their modifier in the book and their mark in the ledger.
var terms = []struct {
	one            Terms
	modifier, mark string
}{{Regional, "cloud_regional", "+regional"}, {Domestic, "inference_geo_us", "+us"}, {Fast, "fast", "+fast"}}

// AllTerms is how many sets of terms there are: each is less.
const AllTerms = 1 << 3

// String is the marks of the terms, which follow the version of the book in the ledger:
// "+regional".
func (t Terms) String() string {
	var b strings.Builder
	for _, known := range terms {
		if t&known.one != 0 {
			b.WriteString(known.mark)
		}
	}
	return b.String()
}

// TermsOf reads the marks in a version of the ledger.
func TermsOf(version string) (t Terms) {
	_, marks, _ := strings.Cut(version, "+")
	for mark := range strings.SplitSeq(marks, "+") {
		for _, known := range terms {
			if "+"+mark == known.mark {
				t |= known.one
			}
		}
	}
	return t
}

// Modifier multiplies a price under some condition.
type Modifier struct {
	Name     string
	Permille int64     // 1100 is times 1.1
	From     time.Time // the first day
	Models   []string  // for which there is the condition; their ids
	What     string

	terms Terms // 0: no request says whether it applies
	in    []bool
}

// under are rates as the terms of a time make them. Of a model that is not known
// every condition is taken to hold that can.
func (b *Book) under(r rates, index int, at time.Time, t Terms) rates {
	for i := range b.modifiers {
		m := &b.modifiers[i]
		if m.terms&t == 0 || at.Before(m.From) || index >= 0 && !m.in[index] {
			continue
		}
		for _, rate := range []*int64{&r.input, &r.output, &r.cacheRead, &r.cacheWrite5m, &r.cacheWrite1h} {
			*rate = (*rate*m.Permille + 999) / 1000
		}
	}
	return r
}
