package admin

import (
	"context"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/id"
)

// operation is one call of the API: what answers it, and how the OpenAPI
// document describes it.
type operation struct {
	pattern string // without what all have in common
	summary string
	in, out reflect.Type // in is nil where there is no body
	query   []string
	bare    bool // the body can be left out
	answer  answer
}

// operations is every call that the door answers.
func (d *Door) operations() []operation {
	return slices.Concat([]operation{shows("GET /me", "The organization", d.me)}, d.userOperations(), d.inviteOperations(), d.keyOperations(),
		d.workspaceOperations(), d.serviceAccountOperations(), d.groupOperations(), d.roleOperations(), d.rateLimitOperations(),
		d.upstreamOperations())
}

// call is a request that was let in, and who makes it.
type call struct {
	*http.Request
	who caller.Caller
}

// answer computes what a call is answered with.
type answer func(call) (any, error)

// shows is an operation without a body. query names its parameters.
func shows[Out any](pattern, summary string, f func(call) (Out, error), query ...string) operation {
	return operation{pattern: pattern, summary: summary, out: reflect.TypeFor[Out](), query: query, answer: func(c call) (any, error) { return f(c) }}
}

// takes is an operation with a body.
func takes[In, Out any](pattern, summary string, f func(call, In) (Out, error)) operation {
	return operation{pattern: pattern, summary: summary, in: reflect.TypeFor[In](), out: reflect.TypeFor[Out](), answer: func(c call) (any, error) {
		var in In
		if err := readBody(c.Request, &in); err != nil {
			return nil, err
		}
		return f(c, in)
	}}
}

// mayTake is takes, where no body is an empty object.
func mayTake[In, Out any](pattern, summary string, f func(call, In) (Out, error)) operation {
	op := takes(pattern, summary, f)
	read := op.answer
	op.bare, op.answer = true, func(c call) (any, error) {
		if c.ContentLength == 0 {
			c.Body = io.NopCloser(strings.NewReader("{}"))
		}
		return read(c)
	}
	return op
}

// one asks a room for what the path names, or has it done to that.
func one[ID ~string, R, Out any](ask func(context.Context, caller.Caller, id.Organization, ID) (R, error), wire func(R) Out) func(call) (Out, error) {
	return func(c call) (Out, error) {
		found, err := ask(c.Context(), c.who, c.who.Organization, named[ID](c))
		return wire(found), err
	}
}

// named is the id of what the path names.
func named[ID ~string](c call) ID { return ID(c.PathValue("id")) }
