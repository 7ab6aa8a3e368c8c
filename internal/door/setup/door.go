package setup

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/bearer"
	"github.com/gatehouse-dev/gatehouse/internal/checkup"
	"github.com/gatehouse-dev/gatehouse/internal/door/envelope"
	"github.com/gatehouse-dev/gatehouse/internal/door/route"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/limit"
	"github.com/gatehouse-dev/gatehouse/internal/onboarding"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// Authenticator turns a presented credential into a grant. *bearer.Keeper is one.
type Authenticator interface {
	Authenticate(ctx context.Context, presented secret.Text) (*bearer.Grant, error)
}

// Config is what a Door needs.
type Config struct {
	Authenticator Authenticator
	Onboarding    *onboarding.Service
	Codes         *limit.Tries // wrong codes, by network address
	Address       func(*http.Request) string
	Log           *slog.Logger
}

// Door takes reports. Make it with New.
type Door struct{ cfg Config }

// New returns a Door.
func New(cfg Config) *Door { return &Door{cfg} }

// Routes lists the door's patterns.
func (d *Door) Routes() []route.Route {
	return []route.Route{{Pattern: "POST /setup-report", Open: true, Handler: http.HandlerFunc(d.report)}}
}

// answer is what a report is answered with.
type answer struct {
	Next string `json:"next"` // the step that is next
}

func (d *Door) report(w http.ResponseWriter, r *http.Request) {
	next, err := d.take(r)
	if err != nil {
		request := w.Header().Get("Request-Id")
		if kind := fault.KindOf(err); kind == fault.Internal || kind == fault.Unavailable {
			d.cfg.Log.LogAttrs(r.Context(), slog.LevelError, "a report could not be taken", slog.String("request_id", request), slog.String("error", err.Error()))
		}
		envelope.Write(w, request, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(answer{next.String()}) // the client has gone: nobody to tell
}

func (d *Door) take(r *http.Request) (onboarding.Step, error) {
	code, report, err := read(r)
	if err != nil {
		return 0, err
	}
	address := d.cfg.Address(r)
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok && code == "" {
		grant, err := d.cfg.Authenticator.Authenticate(r.Context(), secret.New(token))
		if err != nil {
			return 0, err
		}
		return d.cfg.Onboarding.Report(r.Context(), grant.Caller().From(address), report)
	}
	network := limit.Network(address)
	if ok, wait := d.cfg.Codes.Take(network); !ok {
		return 0, fault.New(fault.RateLimited, "too many wrong set-up codes came from your network address").After(wait)
	}
	next, err := d.cfg.Onboarding.ReportByCode(r.Context(), code, address, report)
	if !fault.Is(err, fault.NotFound) {
		d.cfg.Codes.GiveBack(network)
	}
	return next, err
}

// read takes the body apart: a code, possibly none, and a report that is one.
func read(r *http.Request) (code string, report checkup.Report, err error) {
	const most = checkup.MaxBytes
	raw, err := io.ReadAll(io.LimitReader(r.Body, most+1))
	switch {
	case err != nil:
		return "", report, fault.Wrap(fault.Invalid, err, "the body did not arrive whole")
	case len(raw) > most:
		return "", report, fault.New(fault.TooLarge, "the body is larger than %d bytes", most)
	}
	var body struct {
		Code   string          `json:"code"`
		Report json.RawMessage `json:"report"`
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&body); err != nil {
		return "", report, fault.Wrap(fault.Invalid, err, "the body must be a JSON object with a code and a report")
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return "", report, fault.New(fault.Invalid, "there is something after the JSON object")
	}
	if report, err = checkup.Decode(body.Report); err != nil {
		return "", report, fault.New(fault.Invalid, "%w", err).At("report").WithHint("use a gatehouse of the same age as the server")
	}
	return body.Code, report, nil
}
