package gateway

import (
	"bytes"
	"errors"
	"io"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

// NoSuchModel is the error of an upstream for a model that it does not have. It
// has heard nothing of the request, and another upstream may have the model.
func NoSuchModel(upstream, model string) error {
	return &fault.Error{Kind: fault.NotFound, Message: "the model \"" + model + "\" is not available on the upstream " + upstream, Err: errors.Join(ErrNotSent, errNoModel)}
}

var errNoModel = errors.New("the upstream does not have the model")

// document is a body that is in memory.
func document(body []byte) io.ReadCloser { return io.NopCloser(bytes.NewReader(body)) }
