package jsonscan

import (
	"bytes"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

// Request is what the gateway reads in the body of a model request.
type Request struct {
	Model     string
	Stream    bool
	MaxTokens int64  // 0: the request does not say
	Speed     string // "fast", or what else is a short string; "" if it does not say
	Geography string // of inference, the same
}

const maxModel = 256 // bytes

const (
	hasModel = 1 << iota
	hasStream
	hasMaxTokens
	hasSpeed
	hasGeography
)

// ReadRequest reads the fields of a request that the gateway acts on. It fails
// with fault.Invalid if the body is not one JSON object, if one of the fields is
// there twice (under whatever spelling) or of the wrong type, or if the model is
// missing.
func ReadRequest(body []byte) (Request, error) {
	var (
		found Request
		seen  int
	)
	err := Members(body, func(name, value []byte) error {
		bit := field(name)
		if bit == 0 {
			return nil
		}
		if seen&bit != 0 {
			return invalid(bit, "is there more than once")
		}
		seen |= bit
		return found.take(bit, value)
	})
	switch err := err.(type) {
	case nil:
	case *Error:
		return Request{}, fault.New(fault.Invalid, "the request body is not valid: %s (at byte %d)", err.Reason, err.Offset)
	default:
		return Request{}, err
	}
	if seen&hasModel == 0 {
		return Request{}, invalid(hasModel, "is required")
	}
	return found, nil
}

// field says which of our fields a name means, for a reader that ignores case
// too: such a reader must not see another model than we do. 0 means none.
func field(name []byte) int {
	name, ok := unescaped(name)
	if !ok {
		return 0
	}
	switch len(name) {
	case len("model"):
		if fold(name, "model") {
			return hasModel
		}
		if fold(name, "speed") {
			return hasSpeed
		}
	case len("stream"):
		if fold(name, "stream") {
			return hasStream
		}
	case len("inference_geo"):
		if fold(name, "inference_geo") {
			return hasGeography
		}
	case len("max_tokens"):
		if fold(name, "max_tokens") {
			return hasMaxTokens
		}
	}
	// Letters outside ASCII that fold into ours ("ſtream") are longer in bytes.
	if !plain(name) && len(name) <= 16 {
		for _, known := range fields {
			if bytes.EqualFold(name, []byte(known.name)) {
				return known.bit
			}
		}
	}
	return 0
}

// unescaped is a member's name without its escapes; false: it has none that is right.
func unescaped(name []byte) ([]byte, bool) {
	if bytes.IndexByte(name, '\\') < 0 {
		return name, true
	}
	decoded, ok := String(quote(name))
	return []byte(decoded), ok
}

var fields = []struct {
	name string
	bit  int
}{{"model", hasModel}, {"stream", hasStream}, {"max_tokens", hasMaxTokens}, {"speed", hasSpeed}, {"inference_geo", hasGeography}}

// fold compares a name with lower-case ASCII of the same length, ignoring case.
func fold(name []byte, lower string) bool {
	for i, c := range name {
		if c-'A' < 26 {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

func quote(inner []byte) []byte {
	quoted := make([]byte, 0, len(inner)+2)
	quoted = append(quoted, '"')
	quoted = append(quoted, inner...)
	return append(quoted, '"')
}

func (r *Request) take(bit int, value []byte) error {
	switch bit {
	case hasModel:
		return r.takeModel(value)
	case hasStream:
		switch string(value) {
		case "true":
			r.Stream = true
		case "false", "null":
		default:
			return invalid(bit, "must be a boolean")
		}
	case hasMaxTokens:
		if string(value) == "null" {
			return nil
		}
		n, ok := Int(value)
		if !ok || n < 0 {
			return invalid(bit, "must be a whole number that is not negative")
		}
		r.MaxTokens = n
	case hasSpeed:
		r.Speed = short(value)
	case hasGeography:
		r.Geography = short(value)
	}
	return nil
}

// short is a string that may be one of a few; of what it cannot be, the model's own
// server complains.
func short(value []byte) string {
	if len(value) > 32 {
		return ""
	}
	text, _ := String(value)
	return text
}

func (r *Request) takeModel(value []byte) error {
	model, ok := String(value)
	switch {
	case !ok:
		return invalid(hasModel, "must be a string")
	case model == "":
		return invalid(hasModel, "is required")
	case len(model) > maxModel:
		return invalid(hasModel, "is too long")
	}
	for i := range len(model) {
		if c := model[i]; c < ' ' || c == 0x7f {
			return invalid(hasModel, "must not contain control characters")
		}
	}
	r.Model = model
	return nil
}

func invalid(bit int, what string) error {
	for _, known := range fields {
		if known.bit == bit {
			return fault.New(fault.Invalid, "%s %s", known.name, what).At(known.name)
		}
	}
	return fault.New(fault.Invalid, "a field %s", what)
}
