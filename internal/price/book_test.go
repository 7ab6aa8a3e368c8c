package price

import (
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var today = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// million makes nano-dollars per token readable: the cost of a million tokens
// in thousandths of a dollar.
const million = 1_000_000

func TestListPrices(t *testing.T) {
	t.Parallel()
	// Nano-dollars per token: input, output, read, write 5 m, write 1 h.
	opus, sonnet := [5]int64{5000, 25000, 500, 6250, 10000}, [5]int64{3000, 15000, 300, 3750, 6000}
	tests := map[string][5]int64{
		"claude-fable-5":             {10000, 50000, 1000, 12500, 20000},
		"claude-opus-5":              opus,
		"claude-opus-4-8":            opus,
		"claude-opus-4-7":            opus,
		"claude-opus-4-6":            opus,
		"claude-opus-4-5-20251101":   opus,
		"claude-opus-4-1-20250805":   {15000, 75000, 1500, 18750, 30000},
		"claude-sonnet-5":            {2000, 10000, 200, 2500, 4000},
		"claude-sonnet-4-6":          sonnet,
		"claude-sonnet-4-5-20250929": sonnet,
		"claude-sonnet-4-20250514":   sonnet,
		"claude-haiku-4-5-20251001":  {1000, 5000, 100, 1250, 2000},
		"claude-3-5-haiku-20241022":  {800, 4000, 80, 1000, 1600},
	}
	book := Default()
	for model, want := range tests {
		for i, tokens := range []Tokens{{Input: 1}, {Output: 1}, {CacheRead: 1}, {CacheWrite5m: 1}, {CacheWrite1h: 1}} {
			got, known := book.Cost(model, today, tokens, 0)
			if got != want[i] || !known {
				t.Errorf("Cost(%s, %+v) = %d, %v; want %d, true", model, tokens, got, known, want[i])
			}
		}
	}
	if n := len(book.models); n != len(tests) {
		t.Errorf("the book has %d models, this table %d", n, len(tests))
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	tests := []struct{ written, id string }{
		{"claude-haiku-4-5", "claude-haiku-4-5-20251001"},
		{"claude-haiku-4-5-20251001", "claude-haiku-4-5-20251001"},
		{"claude-haiku-4-5@20251001", "claude-haiku-4-5-20251001"},
		{"anthropic.claude-haiku-4-5-20251001-v1:0", "claude-haiku-4-5-20251001"},
		{"us.anthropic.claude-haiku-4-5-20251001-v1:0", "claude-haiku-4-5-20251001"},
		{"global.anthropic.claude-haiku-4-5-20251001-v1:0", "claude-haiku-4-5-20251001"},
		{"eu.anthropic.claude-opus-4-6-v1", "claude-opus-4-6"},
		{"jp.anthropic.claude-opus-4-8", "claude-opus-4-8"},
		{"anthropic.claude-fable-5", "claude-fable-5"},
		{"claude-opus-4-8[1m]", "claude-opus-4-8"},
		{"claude-opus-4-8[1M]", "claude-opus-4-8"},
		{"us.anthropic.claude-sonnet-4-5-20250929-v1:0[1m]", "claude-sonnet-4-5-20250929"},
		{"claude-opus-4-8@default", "claude-opus-4-8"},
		{"publishers/anthropic/models/claude-sonnet-5", "claude-sonnet-5"},
		{"arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.anthropic.claude-sonnet-4-20250514-v1:0", "claude-sonnet-4-20250514"},
	}
	for _, tt := range tests {
		if got, known := Default().ID(tt.written); got != tt.id || !known {
			t.Errorf("ID(%q) = %q, %v; want %q, true", tt.written, got, known, tt.id)
		}
	}
	for _, strange := range []string{"", "[1m]", "gpt-5", "claude", "claude-opus", "claude-opus-4-8 ", "anthropic.", "us.", "-v1", "claude-haiku-4-5@", "my-deployment", "claude-opus-9-20270101"} {
		if got, known := Default().ID(strange); known || got != strange {
			t.Errorf("ID(%q) = %q, %v; want it unknown", strange, got, known)
		}
	}
}

// A model nobody knows costs at least what each known one costs.
func TestUnknownIsDearest(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		tokens, at := someTokens(t), someTime(t)
		under := someTerms(t)
		unknown, known := Default().Cost("claude-imaginary-9", at, tokens, under)
		if known {
			t.Fatal("it is known")
		}
		if unknown == 0 && tokens.Add(Tokens{}) != (Tokens{}) {
			t.Fatal("it is free")
		}
		for _, m := range Default().models {
			if cost, _ := Default().Cost(m.id, at, tokens, under); cost > unknown {
				t.Fatalf("%s costs %d, unknown %d", m.id, cost, unknown)
			}
		}
	})
}

// The arithmetic agrees with that of unbounded numbers.
func TestCostIsExactOrSaturates(t *testing.T) {
	t.Parallel()
	limit := big.NewInt(math.MaxInt64)
	rapid.Check(t, func(t *rapid.T) {
		m := rapid.SampledFrom(Default().models).Draw(t, "model")
		n := [5]int64{}
		for i := range n {
			n[i] = rapid.Int64().Draw(t, "tokens")
		}
		r, want := m.prices[0].rates, new(big.Int)
		for i, rate := range []int64{r.input, r.output, r.cacheRead, r.cacheWrite5m, r.cacheWrite1h} {
			want.Add(want, new(big.Int).Mul(big.NewInt(max(n[i], 0)), big.NewInt(rate)))
		}
		if want.Cmp(limit) > 0 {
			want = limit
		}
		got, _ := Default().Cost(m.id, today, Tokens{n[0], n[1], n[2], n[3], n[4]}, 0)
		if got != want.Int64() {
			t.Fatalf("got %d, want %s", got, want)
		}
	})
}

// Whatever a request of a size can plausibly use costs no more than was held
// back for it.
func TestWorstBounds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := rapid.SampledFrom(Default().models).Draw(t, "model")
		body := rapid.Int64Range(0, 32<<20).Draw(t, "body")
		asked := rapid.Int64Range(0, 1<<40).Draw(t, "max_tokens")
		at := someTime(t)
		input := rapid.Int64Range(0, min(body/2, m.context)).Draw(t, "input")
		most := m.maxOutput
		if asked > 0 {
			most = min(most, asked)
		}
		output := rapid.Int64Range(0, most).Draw(t, "output")
		for _, tokens := range []Tokens{{Input: input, Output: output}, {CacheWrite1h: input, Output: output}, {CacheWrite5m: input / 2, CacheRead: input - input/2, Output: output}} {
			under := someTerms(t)
			cost, _ := Default().Cost(m.id, at, tokens, under)
			if worst := Default().Worst(m.id, at, body, asked, under); cost > worst {
				t.Fatalf("%+v costs %d, held back %d", tokens, cost, worst)
			}
		}
	})
}

func TestWorst(t *testing.T) {
	t.Parallel()
	tests := []struct {
		model      string
		body, asks int64
		want       int64
	}{
		{"claude-haiku-4-5", 0, 1, 1024*2000 + 5000},
		{"claude-haiku-4-5", 2000, 100, 2024*2000 + 100*5000},
		{"claude-haiku-4-5", 2000, 0, 2024*2000 + 64000*5000},
		{"claude-haiku-4-5", math.MaxInt64, math.MaxInt64, 200000*2000 + 64000*5000},
		{"claude-haiku-4-5", math.MinInt64, math.MinInt64, 1024*2000 + 64000*5000},
		{"nobody-knows", 2000, 100, 2024*30000 + 100*75000},
		{"nobody-knows", math.MaxInt64, math.MaxInt64, million*30000 + 128000*75000},
	}
	for _, tt := range tests {
		if got := Default().Worst(tt.model, today, tt.body, tt.asks, 0); got != tt.want {
			t.Errorf("Worst(%s, %d, %d) = %d, want %d", tt.model, tt.body, tt.asks, got, tt.want)
		}
	}
}

func TestPricesHoldFromTheirDay(t *testing.T) {
	t.Parallel()
	price := func(from, input string) string {
		return fmt.Sprintf(`{"from":%q,"input":%q,"output":"5","cache_read":"0.1","cache_write_5m":"1","cache_write_1h":"2"}`, from, input)
	}
	book := parse(t, price("2026-01-01", "3"), price("2026-06-01", "2"), price("2026-09-01", "2.125"))
	day := func(s string) time.Time {
		d, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	tests := []struct {
		at   string
		want int64
	}{
		{"2020-01-01T00:00:00Z", 3000}, // before there was a price: the first one, never nothing
		{"2026-05-31T23:59:59.999999999Z", 3000},
		{"2026-06-01T00:00:00Z", 2000},
		{"2026-06-01T01:00:00+02:00", 3000}, // 23:00 UTC of the day before
		{"2026-09-01T00:00:00Z", 2125},
		{"2099-01-01T00:00:00Z", 2125},
	}
	for _, tt := range tests {
		if got, _ := book.Cost("m", day(tt.at), Tokens{Input: 1}, 0); got != tt.want {
			t.Errorf("at %s: %d, want %d", tt.at, got, tt.want)
		}
	}
}

func TestBadBooks(t *testing.T) {
	t.Parallel()
	good := `{"from":"2026-01-01","input":"3","output":"5","cache_read":"0.1","cache_write_5m":"1","cache_write_1h":"2"}`
	tests := map[string]string{
		"not json":          `{`,
		"no models":         `{"version":"1"}`,
		"unknown field":     `{"version":"1","currency":"EUR"}`,
		"no price":          bookOf(),
		"too fine":          bookOf(strings.Replace(good, `"0.1"`, `"0.0001"`, 1)),
		"a number":          bookOf(strings.Replace(good, `"0.1"`, `0.1`, 1)),
		"negative":          bookOf(strings.Replace(good, `"0.1"`, `"-1"`, 1)),
		"free":              bookOf(strings.Replace(good, `"0.1"`, `"0"`, 1)),
		"missing":           bookOf(strings.Replace(good, `"cache_read":"0.1",`, ``, 1)),
		"exponent":          bookOf(strings.Replace(good, `"0.1"`, `"1e3"`, 1)),
		"huge":              bookOf(strings.Replace(good, `"0.1"`, `"9999999999"`, 1)),
		"no date":           bookOf(strings.Replace(good, `"2026-01-01"`, `"January"`, 1)),
		"same day twice":    bookOf(good, good),
		"name taken twice":  strings.Replace(bookOf(good), `"aliases":[]`, `"aliases":["m"]`, 1),
		"something follows": bookOf(good) + "{}",
	}
	for name, text := range tests {
		if _, err := Parse([]byte(text)); err == nil {
			t.Errorf("%s: no error for %s", name, text)
		}
	}
	if _, err := Parse([]byte(bookOf(good))); err != nil {
		t.Errorf("a good one: %v", err)
	}
}

var golden = flag.Bool("golden", false, "write the golden files anew")

// The catalogue is a golden file; go test -golden renews it.
func TestCatalogue(t *testing.T) {
	t.Parallel()
	got, err := json.MarshalIndent(Default().Models(today), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	const file = "testdata/catalogue.json"
	if *golden {
		if err := os.WriteFile(file, append(got, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)+"\n"); diff != "" {
		t.Error(diff)
	}
	for _, m := range Default().Models(time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)) {
		if m.ID == "claude-fable-5" {
			t.Error("a model is listed before it is released")
		}
		if m.Status != Active {
			t.Errorf("%s was not retired by then", m.ID)
		}
	}
}

func TestLookUpsDoNotAllocate(t *testing.T) {
	for _, model := range []string{"claude-opus-5", "us.anthropic.claude-haiku-4-5-20251001-v1:0[1m]", "unknown"} {
		if n := testing.AllocsPerRun(100, func() {
			Default().Worst(model, today, 76000, 32000, 0)
			Default().Cost(model, today, Tokens{Input: 1}, 0)
		}); n != 0 {
			t.Errorf("%s: %v allocations", model, n)
		}
	}
}

func FuzzNames(f *testing.F) {
	f.Add("us.anthropic.claude-haiku-4-5-20251001-v1:0[1m]")
	f.Add("arn:aws:bedrock:x/-v:")
	f.Fuzz(func(t *testing.T, name string) {
		if id, known := Default().ID(name); !known && id != name {
			t.Errorf("%q became %q", name, id)
		}
		if cost, _ := Default().Cost(name, today, Tokens{Input: 1, Output: 1}, 0); cost <= 0 {
			t.Errorf("%q is free", name)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add(string(embedded))
	f.Add(bookOf())
	f.Fuzz(func(t *testing.T, text string) {
		book, err := Parse([]byte(text))
		if err != nil {
			return
		}
		if cost, _ := book.Cost("anything", today, Tokens{Input: 1}, 0); cost <= 0 {
			t.Errorf("a book in which something is free: %s", text)
		}
	})
}

func BenchmarkCost(b *testing.B) {
	for b.Loop() {
		Default().Worst("claude-opus-4-8[1m]", today, 76000, 32000, 0)
		Default().Cost("claude-opus-4-8[1m]", today, Tokens{Input: 1, Output: 2, CacheRead: 3}, 0)
	}
}

func bookOf(prices ...string) string {
	return `{"version":"1","source":"a test","models":[{"id":"m","name":"M","aliases":[],"context":100,"max_output":10,"prices":[` +
		strings.Join(prices, ",") + `]}],"modifiers":[],"extras":[]}`
}

func parse(t *testing.T, prices ...string) *Book {
	t.Helper()
	book, err := Parse([]byte(bookOf(prices...)))
	if err != nil {
		t.Fatal(err)
	}
	return book
}

func someTokens(t *rapid.T) Tokens {
	n := rapid.Int64Range(0, 10*million)
	return Tokens{n.Draw(t, "in"), n.Draw(t, "out"), n.Draw(t, "read"), n.Draw(t, "5m"), n.Draw(t, "1h")}
}

func someTime(t *rapid.T) time.Time {
	return time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "at"), 0)
}
