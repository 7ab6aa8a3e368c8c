package upstream

import (
	"bytes"
	"hash/fnv"
	"net/http"
)

// Kind is what a request asked for.
type Kind string

// The kinds that the stand-in tells apart.
const (
	Messages    Kind = "messages"
	CountTokens Kind = "count_tokens"
	Models      Kind = "models"
	Other       Kind = "other"
)

// Request is one request as it arrived.
type Request struct {
	// ID is the request-id of its answer.
	ID     string
	Kind   Kind
	Method string
	// Path is as escaped on the wire, Query is raw.
	Path, Query string
	Host        string
	Header      http.Header
	Body        []byte
	// Asked holds the few fields that decide on the answer.
	Asked Asked

	done  chan struct{}
	usage Usage
}

// Asked is what the stand-in reads of a body.
type Asked struct {
	Model     string `json:"model"`
	MaxTokens int    `json:"max_tokens"`
	Stream    bool   `json:"stream"`
}

// Done is closed when the answer has ended, in whatever way: also when the
// client went away.
func (r *Request) Done() <-chan struct{} { return r.done }

// Credential is what the request carries in x-api-key, or else in Authorization.
func (r *Request) Credential() string {
	if key := r.Header.Get("x-api-key"); key != "" {
		return key
	}
	return r.Header.Get("Authorization")
}

// Usage counts tokens by kind.
type Usage struct {
	Input, Output, CacheRead, CacheWrite5m, CacheWrite1h int64
}

// Plus is the sum by kind.
func (u Usage) Plus(v Usage) Usage {
	return Usage{u.Input + v.Input, u.Output + v.Output, u.CacheRead + v.CacheRead,
		u.CacheWrite5m + v.CacheWrite5m, u.CacheWrite1h + v.CacheWrite1h}
}

// UsageOf is the usage of a plain answer to a body: the input kinds follow from
// a hash of the body, so that no two are alike and none can be taken for
// another, the output is one token for each word.
func UsageOf(body []byte, words int) Usage {
	h := fnv.New64a()
	_, _ = h.Write(body)
	sum := h.Sum64()
	u := Usage{Input: 1 + int64(len(body))/4, Output: int64(words)}
	// Only a body that speaks of caching touches the cache.
	if bytes.Contains(body, []byte("cache_control")) {
		u.CacheRead = int64(sum % 5003)
		u.CacheWrite5m = int64(sum >> 16 % 2003)
		u.CacheWrite1h = int64(sum >> 32 % 1009)
	}
	return u
}
