package gateway

import (
	"net/http"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/catalogue"
	"github.com/gatehouse-dev/gatehouse/internal/door/envelope"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/gateway"
	"github.com/gatehouse-dev/gatehouse/internal/gateway/dialect"
	"github.com/gatehouse-dev/gatehouse/internal/id"
)

// Clients that are set to a cloud find its format here, with our credential in
// place of the cloud's. What they send is turned into the Messages API before
// anything looks at it, and goes to whatever upstream there is.
//
//	ANTHROPIC_BEDROCK_BASE_URL=https://gate.example.com/bedrock
//	ANTHROPIC_VERTEX_BASE_URL=https://gate.example.com/vertex/v1
//	ANTHROPIC_FOUNDRY_BASE_URL=https://gate.example.com/foundry/anthropic
//
// The Go SDK puts the clouds' paths in the place of its address's own, so those of
// Bedrock and Vertex are served without anything before them too.
func cloudRoutes() []route {
	open := func(pattern string, serve handler) route { return route{Route{pattern, false}, serve} }
	asked := func(pattern string, serve handler) route { return route{Route{pattern, true}, serve} }
	return []route{
		asked("POST /bedrock/model/{model}/invoke", bedrock(gateway.Messages, false)),
		asked("POST /bedrock/model/{model}/invoke-with-response-stream", bedrock(gateway.Messages, true)),
		asked("POST /bedrock/model/{model}/count-tokens", bedrock(gateway.CountTokens, false)),
		asked("GET /bedrock/inference-profiles", inBedrock(admit((*Door).profiles))),
		asked("GET /bedrock/inference-profiles/{id}", inBedrock(admit((*Door).profile))),
		asked("POST /model/{model}/invoke", bedrock(gateway.Messages, false)),
		asked("POST /model/{model}/invoke-with-response-stream", bedrock(gateway.Messages, true)),
		open("HEAD /bedrock/{$}", (*Door).hello),
		open("/bedrock/", inBedrock((*Door).unknown)),
		asked("POST /vertex/v1/projects/{project}/locations/{location}/publishers/anthropic/models/{action}", (*Door).vertex),
		asked("POST /v1/projects/{project}/locations/{location}/publishers/anthropic/models/{action}", (*Door).vertex),
		open("HEAD /vertex/v1/{$}", (*Door).hello),
		open("/vertex/", (*Door).unknown),
		asked("POST /foundry/anthropic/v1/messages", foundry(gateway.Messages)),
		asked("POST /foundry/anthropic/v1/messages/count_tokens", foundry(gateway.CountTokens)),
		open("HEAD /foundry/anthropic/{$}", (*Door).hello),
		open("/foundry/", (*Door).unknown),
	}
}

// foundry is the Messages API at another address.
func foundry(op gateway.Operation) handler {
	return func(d *Door, w http.ResponseWriter, r *http.Request, request id.Request) {
		d.exchange(w, r, request, op, nil)
	}
}

// vertex serves MODEL:rawPredict, MODEL:streamRawPredict and count-tokens:rawPredict.
func (d *Door) vertex(w http.ResponseWriter, r *http.Request, request id.Request) {
	model, method, _ := strings.Cut(r.PathValue("action"), ":")
	stream := method == "streamRawPredict"
	switch {
	case model == "count-tokens" && method == "rawPredict":
		d.exchange(w, r, request, gateway.CountTokens, dialect.CountFromVertex)
	case model != "" && (stream || method == "rawPredict"):
		d.exchange(w, r, request, gateway.Messages, func(body []byte) ([]byte, []string, error) {
			return dialect.FromCloud(body, catalogue.Canonical(model), stream)
		})
	default:
		admit(func(d *Door, w http.ResponseWriter, r *http.Request, request id.Request, _ caller.Caller) {
			d.unknown(w, r, request)
		})(d, w, r, request)
	}
}

// inBedrock has a handler's answers written as Bedrock writes them.
func inBedrock(serve handler) handler {
	return func(d *Door, w http.ResponseWriter, r *http.Request, request id.Request) {
		turned := &bedrockWriter{ResponseWriter: w}
		turned.Header()["X-Amzn-Requestid"] = []string{string(request)}
		serve(d, turned, r, request)
		turned.finish()
	}
}

func bedrock(op gateway.Operation, stream bool) handler {
	return inBedrock(func(d *Door, w http.ResponseWriter, r *http.Request, request id.Request) {
		model := catalogue.Canonical(r.PathValue("model"))
		turn := func(body []byte) ([]byte, []string, error) { return dialect.FromCloud(body, model, stream) }
		if op == gateway.CountTokens {
			turn = func(body []byte) ([]byte, []string, error) { return dialect.CountFromBedrock(body, model) }
			w.(*bedrockWriter).counts = true
		}
		d.exchange(w, r, request, op, turn)
	})
}

// bedrockWriter writes answers of the Messages API as Bedrock does: streams as
// frames, errors as exceptions.
type bedrockWriter struct {
	http.ResponseWriter
	counts bool // the answer is a number of tokens

	begun  bool
	status int    // of what is held
	held   []byte // a document that is turned when it is whole; nil: none is
	stream bool
	frames dialect.Frames
	out    []byte
}

const maxHeld = 1 << 20

// Unwrap is for http.ResponseController.
func (w *bedrockWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// FlushError sends what there is: of what is held, nothing.
func (w *bedrockWriter) FlushError() error {
	if w.held != nil {
		return nil
	}
	return http.NewResponseController(w.ResponseWriter).Flush()
}

func (w *bedrockWriter) WriteHeader(status int) {
	if w.begun {
		return
	}
	w.begun = true
	h := w.Header()
	switch {
	case status >= http.StatusBadRequest || w.counts:
		w.status, w.held = status, []byte{}
		delete(h, "Content-Length")
		return
	case strings.HasPrefix(h.Get("Content-Type"), "text/event-stream"):
		w.stream = true
		h["Content-Type"] = []string{dialect.BedrockType}
		h["X-Amzn-Bedrock-Content-Type"] = []string{"application/json"}
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *bedrockWriter) Write(piece []byte) (int, error) {
	if !w.begun {
		w.WriteHeader(http.StatusOK)
	}
	switch {
	case w.held != nil:
		if len(w.held)+len(piece) <= maxHeld {
			w.held = append(w.held, piece...)
		}
		return len(piece), nil
	case !w.stream:
		return w.ResponseWriter.Write(piece)
	}
	var err error
	if w.out, err = w.frames.Append(w.out[:0], piece); err != nil {
		return 0, err
	}
	if len(w.out) > 0 {
		if _, err := w.ResponseWriter.Write(w.out); err != nil {
			return 0, err
		}
	}
	return len(piece), nil
}

// finish writes what was held.
func (w *bedrockWriter) finish() {
	if w.held == nil {
		return
	}
	h, body := w.Header(), w.held
	h["Content-Type"] = []string{"application/json"}
	status := w.status
	if status >= http.StatusBadRequest {
		var exception string
		exception, body = dialect.BedrockError(w.held)
		h["X-Amzn-Errortype"] = []string{exception}
		if status == 529 { // AWS has no such status
			status = http.StatusServiceUnavailable
		}
	} else {
		body = dialect.CountForBedrock(w.held)
	}
	w.ResponseWriter.WriteHeader(status)
	_, _ = w.ResponseWriter.Write(body) // a client that went away is its own affair
}

type profileModel struct {
	ARN string `json:"modelArn"`
}

type profileInfo struct {
	ID     string         `json:"inferenceProfileId"`
	Name   string         `json:"inferenceProfileName"`
	ARN    string         `json:"inferenceProfileArn"`
	Status string         `json:"status"` // "ACTIVE"
	Type   string         `json:"type"`   // "SYSTEM_DEFINED"
	Models []profileModel `json:"models"`
}

// geographies are those by which clients ask for profiles. All lead to the same
// place here: where a model answers is decided by the organization.
var geographies = []string{"us", "eu", "apac", "jp", "au", "global"}

func profileOf(m gateway.Model, geography string) profileInfo {
	name := catalogue.RuleName(catalogue.Bedrock, m.ID)
	full := geography + "." + name
	return profileInfo{ID: full, Name: m.DisplayName, ARN: "arn:aws:bedrock:::inference-profile/" + full, Status: "ACTIVE", Type: "SYSTEM_DEFINED",
		Models: []profileModel{{"arn:aws:bedrock:::foundation-model/" + name}}}
}

// profiles serves GET /bedrock/inference-profiles, which Claude Code asks at its
// start.
func (d *Door) profiles(w http.ResponseWriter, r *http.Request, request id.Request, who caller.Caller) {
	models, err := d.gateway.Models(r.Context(), who)
	if err != nil {
		d.fail(w, r, request, err)
		return
	}
	all := []profileInfo{}
	for _, m := range models {
		for _, g := range geographies {
			all = append(all, profileOf(m, g))
		}
	}
	writeJSON(w, map[string]any{"inferenceProfileSummaries": all})
}

func (d *Door) profile(w http.ResponseWriter, r *http.Request, request id.Request, who caller.Caller) {
	models, err := d.gateway.Models(r.Context(), who)
	if err != nil {
		d.fail(w, r, request, err)
		return
	}
	asked := r.PathValue("id")
	geography, _, _ := strings.Cut(asked[strings.LastIndexByte(asked, '/')+1:], ".")
	for _, m := range models {
		if m.ID == catalogue.Canonical(asked) {
			writeJSON(w, profileOf(m, geography))
			return
		}
	}
	envelope.Write(w, string(request), fault.New(fault.NotFound, "there is no inference profile %q for your organization", asked))
}
