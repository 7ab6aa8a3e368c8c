package price

import (
	"math"
	"math/bits"
	"time"
)

// Book is a set of dated prices. It does not change and may be used
// concurrently.
type Book struct {
	version   string
	source    string
	models    []model
	byName    map[string]int // :: every spelling of an id, and alias → index of models
	modifiers []Modifier
	extras    []Extra
}

type model struct {
	id, name          string
	released, retired time.Time // zero: not known, not retired
	context           int64     // tokens
	maxOutput         int64     // tokens
	prices            []dated   // by day, the oldest first; never empty
}

type dated struct {
	from time.Time
	rates
}

// rates are nano-dollars per token.
type rates struct{ input, output, cacheRead, cacheWrite5m, cacheWrite1h int64 }

// Extra is charged by the piece beside tokens. Nothing applies it yet.
type Extra struct {
	Name      string
	NanosEach int64
	What      string
}

// Version names the book, for the ledger: a cost can be traced to its prices.
func (b *Book) Version() string { return b.version }

// Source says where the prices come from.
func (b *Book) Source() string { return b.source }

// Modifiers lists the multipliers the book knows of.
func (b *Book) Modifiers() []Modifier { return append([]Modifier(nil), b.modifiers...) }

// Extras lists what is charged by the piece.
func (b *Book) Extras() []Extra { return append([]Extra(nil), b.extras...) }

// Cost returns what t costs in nano-dollars, by the prices of a time and under terms. The model
// may be written as any provider or client writes it. One that the book does
// not know is priced at the dearest rates of all, and known is false. Negative
// counts are taken as none; a cost too large for an int64 is the largest one.
func (b *Book) Cost(model string, at time.Time, t Tokens, under Terms) (nanos int64, known bool) {
	r, m := b.rates(model, at, under)
	return r.cost(t), m != nil
}

// What a reservation assumes of a request it has not read: no text has more
// tokens than half its bytes, but a request with tools has a preamble.
const (
	bytesPerToken  = 2
	preambleTokens = 1024
	unknownContext = 1_000_000
	unknownOutput  = 128_000
)

// Worst returns the worst plausible cost of a request in nano-dollars: every
// other byte of its body a token that is written to the dearest cache, up to
// the model's context, and all the output it asks for (maxTokens; 0: it did
// not say) up to what the model can give.
//
// It is a bound to hold money back by, and not a promise: documents that a body
// only names by URL or file id are not in it.
func (b *Book) Worst(model string, at time.Time, bodyBytes, maxTokens int64, under Terms) int64 {
	r, m := b.rates(model, at, under)
	context, output := int64(unknownContext), int64(unknownOutput)
	if m != nil {
		context, output = m.context, m.maxOutput
	}
	input := min(max(bodyBytes, 0)/bytesPerToken+preambleTokens, context)
	if maxTokens > 0 {
		output = min(output, maxTokens)
	}
	dearest := max(r.input, r.cacheRead, r.cacheWrite5m, r.cacheWrite1h)
	return plus(times(input, dearest), times(output, r.output))
}

// Status is whether a model can be had.
type Status string

const (
	Active  Status = "active"
	Retired Status = "retired" // from the first-party API; clouds may still have it
)

// Model is a model as catalogues show it.
type Model struct {
	ID          string // the id on the first-party API
	DisplayName string
	Status      Status
	Released    time.Time // zero: not known
	Context     int64     // tokens
	MaxOutput   int64     // tokens
}

// Models lists the models that exist at a time, in the book's order, the
// retired ones included.
func (b *Book) Models(at time.Time) []Model {
	var out []Model
	for i := range b.models {
		m := &b.models[i]
		if m.released.After(at) {
			continue
		}
		out = append(out, m.shown(at))
	}
	return out
}

func (m *model) shown(at time.Time) Model {
	status := Active
	if !m.retired.IsZero() && !at.Before(m.retired) {
		status = Retired
	}
	return Model{ID: m.id, DisplayName: m.name, Status: status, Released: m.released, Context: m.context, MaxOutput: m.maxOutput}
}

// Model returns a model as of a time, however its name is written.
func (b *Book) Model(name string, at time.Time) (Model, bool) {
	m := b.find(name)
	if m == nil {
		return Model{}, false
	}
	return m.shown(at), true
}

// ID returns the first-party id of a model however it is written, and whether
// the book knows it; the name itself if not.
func (b *Book) ID(model string) (id string, known bool) {
	if m := b.find(model); m != nil {
		return m.id, true
	}
	return model, false
}

func (b *Book) find(name string) *model {
	if i := b.index(name); i >= 0 {
		return &b.models[i]
	}
	return nil
}

// index is that of a model, -1 if it is not known.
func (b *Book) index(name string) int {
	i, ok := b.byName[name]
	if !ok {
		if i, ok = b.byName[plain(name)]; !ok {
			return -1
		}
	}
	return i
}

// rates returns the rates of a model, which is nil if unknown.
func (b *Book) rates(name string, at time.Time, under Terms) (rates, *model) {
	if i := b.index(name); i >= 0 {
		m := &b.models[i]
		if under == 0 {
			return m.at(at), m
		}
		return b.under(m.at(at), i, at, under), m
	}
	var dearest rates
	for i := range b.models {
		r := b.models[i].at(at)
		dearest.input = max(dearest.input, r.input)
		dearest.output = max(dearest.output, r.output)
		dearest.cacheRead = max(dearest.cacheRead, r.cacheRead)
		dearest.cacheWrite5m = max(dearest.cacheWrite5m, r.cacheWrite5m)
		dearest.cacheWrite1h = max(dearest.cacheWrite1h, r.cacheWrite1h)
	}
	return b.under(dearest, -1, at, under), nil
}

// at returns the rates of a time; before the first day the first rates, as a
// model that is used has a price.
func (m *model) at(t time.Time) rates {
	for i := len(m.prices) - 1; i > 0; i-- {
		if !t.Before(m.prices[i].from) {
			return m.prices[i].rates
		}
	}
	return m.prices[0].rates
}

func (r rates) cost(t Tokens) int64 {
	sum := times(t.Input, r.input)
	sum = plus(sum, times(t.Output, r.output))
	sum = plus(sum, times(t.CacheRead, r.cacheRead))
	sum = plus(sum, times(t.CacheWrite5m, r.cacheWrite5m))
	return plus(sum, times(t.CacheWrite1h, r.cacheWrite1h))
}

// times and plus saturate; what is negative counts as nothing.
func times(tokens, rate int64) int64 {
	if tokens <= 0 || rate <= 0 {
		return 0
	}
	high, low := bits.Mul64(uint64(tokens), uint64(rate))
	if high != 0 || low > math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(low)
}

func plus(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}
