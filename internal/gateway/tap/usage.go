package tap

import (
	"github.com/gatehouse-dev/gatehouse/internal/gateway/jsonscan"
	"github.com/gatehouse-dev/gatehouse/internal/price"
)

// reported is what an answer said about its use of tokens so far. Later reports
// are cumulative and replace earlier ones, field by field.
type reported struct {
	input, output, cacheRead, cacheWrite int64
	write5m, write1h                     int64
	split                                bool // write5m and write1h were reported
}

// take reads a "usage" object.
func (r *reported) take(object []byte) {
	_ = jsonscan.Members(object, func(name, value []byte) error {
		switch string(name) {
		case "input_tokens":
			set(&r.input, value)
		case "output_tokens":
			set(&r.output, value)
		case "cache_read_input_tokens":
			set(&r.cacheRead, value)
		case "cache_creation_input_tokens":
			set(&r.cacheWrite, value)
		case "cache_creation":
			r.takeSplit(value)
		}
		return nil
	})
}

func (r *reported) takeSplit(object []byte) {
	_ = jsonscan.Members(object, func(name, value []byte) error {
		switch string(name) {
		case "ephemeral_5m_input_tokens":
			r.split = set(&r.write5m, value) || r.split
		case "ephemeral_1h_input_tokens":
			r.split = set(&r.write1h, value) || r.split
		}
		return nil
	})
}

func set(into *int64, value []byte) bool {
	n, ok := jsonscan.Int(value)
	if !ok || n < 0 {
		return false
	}
	*into = n
	return true
}

// tokens is the report by kinds. What was written to the cache without saying
// for how long was written for five minutes, which is the default.
func (r *reported) tokens() price.Tokens {
	t := price.Tokens{Input: r.input, Output: r.output, CacheRead: r.cacheRead, CacheWrite5m: r.cacheWrite}
	if r.split {
		t.CacheWrite5m, t.CacheWrite1h = r.write5m, r.write1h
		if rest := r.cacheWrite - r.write5m - r.write1h; rest > 0 {
			t.CacheWrite5m += rest
		}
	}
	return t
}

// Estimate is the number of tokens in a text of so many characters.
func Estimate(chars int64) int64 { return (chars + 3) / 4 }
