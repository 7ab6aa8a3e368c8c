package dialect

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/gateway/jsonscan"
)

// The versions that the clouds want named in a body.
const (
	BedrockVersion = "bedrock-2023-05-31"
	VertexVersion  = "vertex-2023-10-16"
)

// Drop names members of a body that are taken out. Names are compared as the
// gateway reads them: without regard to case, escapes undone.
type Drop []string

func (d Drop) has(name []byte) bool {
	if bytes.IndexByte(name, '\\') >= 0 {
		var plain string
		if json.Unmarshal(append(append([]byte{'"'}, name...), '"'), &plain) == nil {
			name = []byte(plain)
		}
	}
	for _, n := range d {
		if strings.EqualFold(n, string(name)) {
			return true
		}
	}
	return false
}

// splice appends an object to a buffer: first the members of put, which are JSON
// without braces, then what the object has and drop does not name.
func splice(to, object []byte, drop Drop, put []byte) ([]byte, error) {
	return spliceAnd(to, object, drop, put, func(_, _ []byte) error { return nil })
}

// spliceAnd is splice, which shows what it leaves out.
func spliceAnd(to, object []byte, drop Drop, put []byte, left func(name, value []byte) error) ([]byte, error) {
	to = append(to, '{')
	to = append(to, put...)
	empty := len(put) == 0
	err := jsonscan.Members(object, func(name, value []byte) error {
		if drop.has(name) {
			return left(name, value)
		}
		if !empty {
			to = append(to, ',')
		}
		empty = false
		to = append(to, '"')
		to = append(to, name...)
		to = append(to, '"', ':')
		to = append(to, value...)
		return nil
	})
	if said, ok := errors.AsType[*fault.Error](err); ok {
		return nil, said
	}
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the request body is not a JSON object")
	}
	return append(to, '}'), nil
}

var (
	toBedrock = Drop{"model", "stream", "anthropic_version", "anthropic_beta"}
	toVertex  = Drop{"model", "anthropic_version", "anthropic_beta"}
	fromCloud = toBedrock
)

// ToBedrock makes the body of Bedrock's InvokeModel from one of the Messages API.
// Members that drop names are left out too.
func ToBedrock(body []byte, betas []string, drop Drop) ([]byte, error) {
	put := []byte(`"anthropic_version":"` + BedrockVersion + `"`)
	if len(betas) > 0 {
		list, err := json.Marshal(betas)
		if err != nil {
			return nil, err
		}
		put = append(append(put, `,"anthropic_beta":`...), list...)
	}
	return splice(make([]byte, 0, len(body)+len(put)+8), body, joined(toBedrock, drop), put)
}

// ToVertex makes the body of Vertex's rawPredict from one of the Messages API. To
// count tokens the model stays in it, under the name that it has there.
func ToVertex(body []byte, drop Drop, countAs string) ([]byte, error) {
	put := []byte(`"anthropic_version":"` + VertexVersion + `"`)
	if countAs != "" {
		put = append(append(put, `,"model":`...), strconv.Quote(countAs)...)
	}
	return splice(make([]byte, 0, len(body)+len(put)+8), body, joined(toVertex, drop), put)
}

// Rename gives a body of the Messages API another model, and leaves out what drop
// names. The body itself is returned if there is nothing to do.
func Rename(body []byte, from, to string, drop Drop) ([]byte, error) {
	if from == to && len(drop) == 0 {
		return body, nil
	}
	name, err := json.Marshal(to)
	if err != nil {
		return nil, err
	}
	put := append([]byte(`"model":`), name...)
	return splice(make([]byte, 0, len(body)+len(put)+8), body, joined(Drop{"model"}, drop), put)
}

func joined(a, b Drop) Drop {
	if len(b) == 0 {
		return a
	}
	return append(append(make(Drop, 0, len(a)+len(b)), a...), b...)
}

// FromCloud makes a body of the Messages API from one of Bedrock or Vertex, whose
// path names the model and says whether the answer is a stream. It returns the
// betas that stood in the body.
func FromCloud(body []byte, model string, stream bool) (messages []byte, betas []string, err error) {
	name, err := json.Marshal(model)
	if err != nil {
		return nil, nil, err
	}
	put := append([]byte(`"model":`), name...)
	if stream {
		put = append(put, `,"stream":true`...)
	}
	messages, err = spliceAnd(make([]byte, 0, len(body)+len(put)+8), body, fromCloud, put, func(name, value []byte) (err error) {
		if inBody.has(name) {
			betas, err = bodyBetas(value)
		}
		return err
	})
	return messages, betas, err
}

const maxBetas = 64

var inBody = Drop{"anthropic_beta"}

func bodyBetas(value []byte) (betas []string, err error) {
	if json.Unmarshal(value, &betas) != nil || len(betas) > maxBetas {
		return nil, fault.New(fault.Invalid, "must be a list of at most %d names", maxBetas).At("anthropic_beta")
	}
	for _, b := range betas {
		if !beta(b) {
			return nil, fault.New(fault.Invalid, "must be a list of names such as \"context-1m-2025-08-07\"").At("anthropic_beta")
		}
	}
	return betas, nil
}

// beta reports whether a value can stand in a header: a token of RFC 9110.
func beta(s string) bool {
	return s != "" && len(s) <= 128 && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-._~!#$%&'*+^`|", r)
	})
}

// Betas are the values of anthropic-beta headers, in order and each once.
func Betas(lines []string) []string {
	var all []string
	seen := map[string]bool{}
	for _, line := range lines {
		for value := range strings.SplitSeq(line, ",") {
			if value = strings.TrimSpace(value); value != "" && !seen[value] {
				seen[value] = true
				all = append(all, value)
			}
		}
	}
	return all
}

// WithMaxTokens gives a body of Bedrock a max_tokens if it has none: to count
// tokens it is not said, and Bedrock wants a body that could be sent.
func WithMaxTokens(body []byte) ([]byte, error) {
	has := false
	err := jsonscan.Members(body, func(name, _ []byte) error {
		has = has || (Drop{"max_tokens"}).has(name)
		return nil
	})
	if err != nil || has {
		return body, err
	}
	return splice(make([]byte, 0, len(body)+24), body, nil, []byte(`"max_tokens":1`))
}
