package price

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"
)

//go:embed book.json
var embedded []byte

// Default returns the book that comes with the program.
var Default = sync.OnceValue(func() *Book {
	book, err := Parse(embedded)
	if err != nil {
		panic("the embedded price book is wrong: " + err.Error()) // a test parses it
	}
	return book
})

// The book as it is written; see book.json. Dates are YYYY-MM-DD and begin at
// midnight UTC, amounts are decimal strings.
type (
	document struct {
		Version   string     `json:"version"`
		Source    string     `json:"source"`
		Models    []entry    `json:"models"`
		Modifiers []modifier `json:"modifiers"`
		Extras    []extra    `json:"extras"`
	}
	entry struct {
		ID        string   `json:"id"`
		Name      string   `json:"name"`
		Aliases   []string `json:"aliases"`
		Released  date     `json:"released"`
		Retired   date     `json:"retired"`
		Context   int64    `json:"context"`
		MaxOutput int64    `json:"max_output"`
		Prices    []struct {
			From         date   `json:"from"`
			Input        amount `json:"input"`
			Output       amount `json:"output"`
			CacheRead    amount `json:"cache_read"`
			CacheWrite5m amount `json:"cache_write_5m"`
			CacheWrite1h amount `json:"cache_write_1h"`
		} `json:"prices"`
	}
	modifier struct {
		Name   string   `json:"name"`
		Factor amount   `json:"factor"`
		From   date     `json:"from"`
		Models []string `json:"models"`
		What   string   `json:"what"`
	}
	extra struct {
		Name        string `json:"name"`
		PerThousand amount `json:"per_thousand"`
		What        string `json:"what"`
	}
)

// date is a day; the zero date is unknown.
type date struct{ day time.Time }

func (d *date) UnmarshalText(text []byte) (err error) {
	d.day, err = time.ParseInLocation(time.DateOnly, string(text), time.UTC)
	return err
}

// amount is a decimal of at most three places, in thousandths: of a dollar per
// million tokens that is nano-dollars per token.
type amount int64

func (a *amount) UnmarshalText(text []byte) error {
	whole, fraction, _ := strings.Cut(string(text), ".")
	if len(fraction) > 3 || whole == "" || len(whole) > 9 || strings.Trim(whole+fraction, "0123456789") != "" {
		return fmt.Errorf("%q is not a decimal with at most three places", text)
	}
	n, err := strconv.ParseInt(whole+fraction+"000"[len(fraction):], 10, 64)
	*a = amount(n)
	return err
}

// Parse reads a book. It refuses unknown fields, prices that are not whole
// nano-dollars per token, dates out of order and names that are taken twice.
func Parse(text []byte) (*Book, error) {
	var doc document
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&doc); err != nil {
		return nil, fmt.Errorf("reading the price book: %w", err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, fmt.Errorf("reading the price book: something follows it")
	}
	if doc.Version == "" || len(doc.Models) == 0 {
		return nil, fmt.Errorf("reading the price book: it has no version or no models")
	}
	book := &Book{version: doc.Version, source: doc.Source, byName: map[string]int{}}
	for _, e := range doc.Models {
		if err := book.add(e); err != nil {
			return nil, fmt.Errorf("reading the price book: %s: %w", e.ID, err)
		}
	}
	for _, m := range doc.Modifiers {
		if err := book.modify(m); err != nil {
			return nil, fmt.Errorf("reading the price book: the modifier %s: %w", m.Name, err)
		}
	}
	for _, x := range doc.Extras {
		book.extras = append(book.extras, Extra{Name: x.Name, NanosEach: int64(x.PerThousand) * 1000, What: x.What})
	}
	return book, nil
}

const maxFactor = 4000 // thousandths; all of them together leave a price within an int64

func (b *Book) modify(m modifier) error {
	made := Modifier{Name: m.Name, Permille: int64(m.Factor), From: m.From.day, Models: m.Models, What: m.What, in: make([]bool, len(b.models))}
	if made.Permille <= 0 || made.Permille > maxFactor || made.From.IsZero() {
		return fmt.Errorf("a factor of at most 4 and a first day are needed")
	}
	for _, known := range terms {
		if known.modifier == m.Name {
			made.terms = known.one
		}
	}
	for _, name := range m.Models {
		i := b.index(name)
		if i < 0 || b.models[i].id != name {
			return fmt.Errorf("the book has no model %q", name)
		}
		made.in[i] = true
	}
	b.modifiers = append(b.modifiers, made)
	return nil
}

func (b *Book) add(e entry) error {
	if e.ID == "" || e.Name == "" || e.Context <= 0 || e.MaxOutput <= 0 || len(e.Prices) == 0 {
		return fmt.Errorf("an id, a name, a context, a maximal output and a price are needed")
	}
	m := model{id: e.ID, name: e.Name, released: e.Released.day, retired: e.Retired.day, context: e.Context, maxOutput: e.MaxOutput}
	for _, p := range e.Prices {
		if n := len(m.prices); p.From.day.IsZero() || n > 0 && !p.From.day.After(m.prices[n-1].from) {
			return fmt.Errorf("its prices do not have one day each, in order")
		}
		r := rates{int64(p.Input), int64(p.Output), int64(p.CacheRead), int64(p.CacheWrite5m), int64(p.CacheWrite1h)}
		if min(r.input, r.output, r.cacheRead, r.cacheWrite5m, r.cacheWrite1h) <= 0 {
			return fmt.Errorf("a price is missing or nothing")
		}
		m.prices = append(m.prices, dated{p.From.day, r})
	}
	for _, name := range append(spellings(e.ID), e.Aliases...) {
		if _, taken := b.byName[name]; taken {
			return fmt.Errorf("the name %s is taken", name)
		}
		b.byName[name] = len(b.models)
	}
	b.models = append(b.models, m)
	return nil
}
