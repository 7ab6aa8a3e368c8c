package gateway

import (
	_ "embed"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/door/envelope"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
)

//go:embed protocol.md
var contract []byte

// hello answers the probes that clients open a connection with.
func (d *Door) hello(w http.ResponseWriter, _ *http.Request, _ id.Request) {
	w.WriteHeader(http.StatusOK)
}

func (d *Door) protocol(w http.ResponseWriter, _ *http.Request, _ id.Request) {
	w.Header().Set("Content-Type", "text/markdown; charset=utf-8")
	_, _ = w.Write(contract)
}

// settings answers that there is no policy, which is not the same as an empty
// one. Claude Code asks at every start and says its version, which it does not
// when it signs in.
func (d *Door) settings(w http.ResponseWriter, r *http.Request, request id.Request, who caller.Caller) {
	product, _, _ := strings.Cut(r.UserAgent(), " ")
	if version, ok := strings.CutPrefix(product, "claude-code/"); ok && d.sessions != nil && who.Session != "" {
		if err := d.sessions.NoteClient(r.Context(), who, version); err != nil {
			d.log.Warn("a client's version could not be noted", "request_id", string(request), "error", err)
		}
	}
	envelope.Write(w, string(request), fault.New(fault.NotFound, "your organization has no managed settings"))
}

const (
	maxTelemetry    = 4 << 20 // bytes that are read and thrown away
	telemetryWithin = 10 * time.Second
)

// telemetry takes OpenTelemetry exports and throws them away. Whatever is wrong
// with one, the exporter is told that all is well: it would only repeat it.
func (d *Door) telemetry(w http.ResponseWriter, r *http.Request, _ id.Request) {
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(telemetryWithin))
	if n, err := io.Copy(io.Discard, io.LimitReader(r.Body, maxTelemetry+1)); err != nil || n > maxTelemetry {
		w.Header().Set("Connection", "close") // what is left of it is not worth reading
	} else {
		_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind == "application/x-protobuf" {
		w.Header().Set("Content-Type", kind) // an empty message has no bytes
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, "{}")
}
