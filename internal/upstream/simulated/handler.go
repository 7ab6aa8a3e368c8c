package simulated

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/gateway"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/price"
)

// Served is what a Handler says of each request: what an invoice would hold.
type Served struct {
	Operation gateway.Operation
	Model     string // as the body named it; empty if it could not be read
	RequestID string // the "request-id" of the answer
	Status    int
	// Tokens is what the answer used. Of a stream that broke off, the input and
	// what had been said by then; of an error or a count nothing.
	Tokens price.Tokens
	// Whole says that every byte was handed to the connection. The other end may
	// still not have read them.
	Whole bool
	// Header is the request's; read-only.
	Header http.Header
}

// maxBody is the API's own limit.
const maxBody = 32 << 20

// Handler serves the model over HTTP at the API's paths: /v1/messages,
// /v1/messages/count_tokens, /v1/models and HEAD. It accepts any credential.
//
// It calls served, unless nil, once for every model request and before the
// handler returns, concurrently for concurrent requests: a server that counts.
func (m *Model) Handler(served func(Served)) http.Handler {
	if served == nil {
		served = func(Served) {}
	}
	h := &handler{served: served}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/messages", func(w http.ResponseWriter, r *http.Request) { h.serve(w, r, gateway.Messages) })
	mux.HandleFunc("POST /v1/messages/count_tokens", func(w http.ResponseWriter, r *http.Request) { h.serve(w, r, gateway.CountTokens) })
	mux.HandleFunc("GET /v1/models", listModels)
	mux.HandleFunc("GET /v1/models/{id}", oneModel)
	mux.HandleFunc("HEAD /{$}", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("HEAD /api/hello", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		writeProblem(w, &problem{404, kinds[404], "Not found"}, string(id.NewRequest()))
	})
	return mux
}

type handler struct {
	served  func(Served)
	buffers sync.Pool // of *bytes.Buffer
}

func (h *handler) serve(w http.ResponseWriter, r *http.Request, op gateway.Operation) {
	buffer, _ := h.buffers.Get().(*bytes.Buffer)
	if buffer == nil {
		buffer = new(bytes.Buffer)
	}
	defer h.buffers.Put(buffer)
	buffer.Reset()
	said := Served{Operation: op, RequestID: string(id.NewRequest()), Header: r.Header}
	defer func() { h.served(said) }()
	if _, err := buffer.ReadFrom(http.MaxBytesReader(w, r.Body, maxBody)); err != nil {
		bad := invalid("The request body could not be read")
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			bad = &problem{413, kinds[413], "Request exceeds the maximum size"}
		}
		said.Status = bad.status
		said.Whole = writeProblem(w, bad, said.RequestID) == nil
		return
	}
	a := answerTo(op, "", buffer.Bytes())
	said.Model, said.Status = a.model, a.status
	if a.begin(r.Context()) != nil {
		return
	}
	switch {
	case a.bad != nil:
		said.Whole = writeProblem(w, a.bad, said.RequestID) == nil
	case a.stream != nil:
		said.Tokens = a.usage
		said.Tokens.Output, said.Whole = h.stream(w, r, a, said)
		if a.stream.broken {
			panic(http.ErrAbortHandler) // resets the connection
		}
	default:
		said.Tokens = a.usage
		said.Whole = write(w, a, said.RequestID) == nil
	}
}

// stream writes one event after the other and returns how many tokens were said
// and whether that was all.
func (h *handler) stream(w http.ResponseWriter, r *http.Request, a *answer, said Served) (output int64, whole bool) {
	copyHeader(w, a.header(said.RequestID))
	w.WriteHeader(a.status)
	control, at := http.NewResponseController(w), 0
	pace := &body{ctx: r.Context(), delay: a.delay}
	for _, e := range a.stream.events {
		if a.delay > 0 && pace.wait() != nil {
			return output, false
		}
		if _, err := w.Write(a.stream.bytes[at:e.end]); err != nil {
			return output, false
		}
		if control.Flush() != nil {
			return output, false
		}
		at, output = e.end, e.said
	}
	return output, !a.stream.broken && !a.stream.failed
}

func write(w http.ResponseWriter, a *answer, request string) error {
	copyHeader(w, a.header(request))
	w.WriteHeader(a.status)
	_, err := w.Write(a.document)
	return err
}

func writeProblem(w http.ResponseWriter, bad *problem, request string) error {
	return write(w, &answer{status: bad.status, document: bad.envelope(request)}, request)
}

func copyHeader(w http.ResponseWriter, from http.Header) {
	for name, values := range from {
		w.Header()[name] = values
	}
}

// listed is a model as the API lists it.
type listed struct {
	Type        string    `json:"type"`
	ID          string    `json:"id"`
	DisplayName string    `json:"display_name"`
	CreatedAt   time.Time `json:"created_at"`
}

// catalogue lists the models that have not retired and are not to retire.
func catalogue() []listed {
	var all []listed
	for _, m := range price.Default().Models(time.Unix(1<<40, 0)) {
		if m.Status == price.Active {
			all = append(all, show(m))
		}
	}
	return all
}

// show gives the API's answer for an unknown date of release, which is the epoch.
func show(m price.Model) listed {
	released := m.Released
	if released.IsZero() {
		released = time.Unix(0, 0)
	}
	return listed{"model", m.ID, m.DisplayName, released.UTC()}
}

func listModels(w http.ResponseWriter, _ *http.Request) {
	all := catalogue()
	writeJSON(w, map[string]any{"data": all, "has_more": false, "first_id": all[0].ID, "last_id": all[len(all)-1].ID})
}

func oneModel(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("id")
	m, known := price.Default().Model(name, time.Time{})
	if !known {
		writeProblem(w, &problem{404, kinds[404], "model: " + strings.ToValidUTF8(name, "")}, string(id.NewRequest()))
		return
	}
	writeJSON(w, show(m))
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header()["Request-Id"] = []string{string(id.NewRequest())}
	_ = json.NewEncoder(w).Encode(v) // the client has gone
}
