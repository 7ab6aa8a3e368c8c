package origin

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"

	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/gateway"
	"github.com/gatehouse-dev/gatehouse/internal/gateway/dialect"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/direct"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/lease"
)

// Credential proves to an upstream who asks.
type Credential interface {
	// Fields are the headers that do it, for a request that is about to be sent.
	// Errors are faults of ours, of which the upstream has heard nothing.
	Fields(ctx context.Context, s Sent) ([]direct.Field, error)
	// Refused says that the upstream did not take what Fields said last, and
	// reports whether the next time may be better.
	Refused(who caller.Caller) bool
	// Status is how it stands. Of one that does not expire there is nothing to say.
	Status() lease.Status
	Close()
}

// learner is a credential that a refusal can teach something.
type learner interface {
	// Learn reports whether the next time may be better.
	Learn(r *http.Response) bool
}

func learns(c Credential, r *http.Response) bool {
	l, ok := c.(learner)
	return ok && l.Learn(r)
}

// Sent is a request to prove oneself for: a POST of a body.
type Sent struct {
	URL         *url.URL
	ContentType string
	Body        []byte
	Who         caller.Caller
}

// Key is a credential that is sent as it is, in a header: "X-Api-Key", or
// "Authorization" with a scheme before it. The other of the two is left out.
func Key(header string, value secret.Text) Credential {
	other := "Authorization"
	if header == other {
		other = "X-Api-Key"
	}
	return key{header, other, value}
}

type key struct {
	header, other string
	value         secret.Text
}

func (k key) Fields(context.Context, Sent) ([]direct.Field, error) {
	return append(make([]direct.Field, 0, 4), direct.Field{Name: k.header, Values: []string{k.value.Reveal()}}, direct.Field{Name: k.other}), nil
}
func (key) Refused(caller.Caller) bool { return false }
func (key) Status() lease.Status       { return lease.Status{} }
func (key) Close()                     {}

// Prove sends a request with a credential: once more with another one if the
// first had run out on its way, which the answer tells.
func (o *Origin) Prove(ctx context.Context, r Request, c Credential, who caller.Caller, ranOut func(*http.Response) bool) (*http.Response, error) {
	own := r.Own
	to, err := o.at(r.Target)
	if err != nil {
		return nil, err
	}
	kind := "application/json"
	if values := r.Header["Content-Type"]; len(values) > 0 {
		kind = values[0]
	}
	for again := false; ; again = true {
		fields, err := c.Fields(ctx, Sent{URL: to, ContentType: kind, Body: r.Body, Who: who})
		if err != nil {
			return nil, err
		}
		r.Own = append(fields, own...)
		response, err := o.Send(ctx, &r)
		if err != nil {
			return nil, err
		}
		if again || !learns(c, response) && (!ranOut(response) || !c.Refused(who)) {
			return response, nil
		}
		response.Body.Close()
	}
}

// NewReader returns a Request.Reader of a body that nobody recycles.
func NewReader(body []byte) func() io.ReadCloser {
	return func() io.ReadCloser { return io.NopCloser(bytes.NewReader(body)) }
}

// Passed are the headers of a client that mean something to every cloud. What a
// cloud's own protocol says is not in it.
func Passed(from http.Header) http.Header {
	header := http.Header{"Accept-Encoding": {"identity"}, "Content-Type": {"application/json"}}
	for _, name := range []string{"User-Agent", "Traceparent"} {
		if values := from[name]; len(values) > 0 {
			header[name] = values
		}
	}
	return header
}

// Answered is what of a cloud's answer is handed on, by the names that the gateway
// knows. id is the header that names the request there.
func Answered(from http.Header, id string) http.Header {
	to := http.Header{}
	for _, name := range []string{"Content-Type", "Retry-After"} {
		if values := from[name]; len(values) > 0 {
			to[name] = values
		}
	}
	if values := from[id]; len(values) > 0 {
		to["Request-Id"] = values[:1]
	}
	return to
}

const maxRefusal = 256 << 10

// Refusal is an answer with an error status in Anthropic's envelope.
func Refusal(response *http.Response, header http.Header) (*gateway.Answer, error) {
	defer response.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(response.Body, maxRefusal))
	if err != nil {
		return nil, classify(err)
	}
	said := dialect.FromProvider(response.StatusCode, response.Header, raw)
	return Document(said.Status, header, said.Body), nil
}

// Document is an answer of JSON.
func Document(status int, header http.Header, body []byte) *gateway.Answer {
	header["Content-Type"] = []string{"application/json"}
	delete(header, "Content-Encoding")
	return &gateway.Answer{Status: status, Header: header, Body: io.NopCloser(bytes.NewReader(body)), Length: int64(len(body))}
}
