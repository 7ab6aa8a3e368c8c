package console

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/activity"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

const (
	exportsAtOnce  = 4           // by all visitors of this node
	exportPatience = time.Minute // for a reader to take a batch
)

// exportForms are what the record can be exported as.
var exportForms = map[string]struct {
	mime   string
	writer func(*Console, *bufio.Writer) entryWriter
}{
	"csv":    {"text/csv; charset=utf-8", func(c *Console, w *bufio.Writer) entryWriter { return newSheet(c, w) }},
	"ndjson": {"application/x-ndjson", func(c *Console, w *bufio.Writer) entryWriter { return lines{c, json.NewEncoder(w)} }},
}

type entryWriter interface {
	write(activity.Entry) error
	flush() error
}

// activityExport streams what the filter of the form chooses. It is a POST, as
// the record says who exported what.
func (c *Console) activityExport(v *visit) error {
	typed, err := v.readForm()
	if err != nil {
		return err
	}
	as := or(typed.Get("format"), "csv")
	form, ok := exportForms[as]
	if !ok {
		return fault.New(fault.Invalid, "the record is exported as csv or ndjson").At("format")
	}
	s, err := c.readSieve(v.who, &url.URL{Path: "/activity", RawQuery: typed.Encode()}, typed)
	if err != nil {
		return err
	}
	select {
	case c.exports <- struct{}{}:
		defer func() { <-c.exports }()
	default:
		return fault.New(fault.RateLimited, "%d exports are under way on this server", exportsAtOnce).After(30 * time.Second).WithHint("wait until one of them ends")
	}
	out := bufio.NewWriterSize(v.w, 64<<10)
	w, begun := form.writer(c, out), false
	control := http.NewResponseController(v.w)
	begin := func() {
		h := v.w.Header()
		h.Set("Content-Type", form.mime)
		h.Set("Content-Disposition", `attachment; filename="activity-`+c.cfg.Now().UTC().Format("2006-01-02-1504")+"."+as+`"`)
		h.Set("Content-Security-Policy", v.policy())
		begun = true
	}
	err = c.cfg.Record.Export(v.r.Context(), v.who, v.who.Organization, s.filter, as, func(batch []activity.Entry) error {
		if !begun {
			begin()
		}
		_ = control.SetWriteDeadline(time.Now().Add(exportPatience)) // where there is none, the reader's patience is ours
		for _, e := range batch {
			if err := w.write(e); err != nil {
				return err
			}
		}
		return errors.Join(w.flush(), out.Flush())
	})
	if err == nil && !begun {
		begin()
	}
	if err == nil {
		err = errors.Join(w.flush(), out.Flush())
	}
	_ = control.SetWriteDeadline(time.Time{})
	if err != nil && begun {
		c.cfg.Logger.LogAttrs(context.WithoutCancel(v.r.Context()), slog.LevelWarn, "an export broke off",
			slog.String("request_id", string(v.id)), slog.String("error", err.Error()))
		panic(http.ErrAbortHandler) // half an export must not look like a whole one
	}
	return err
}

// sheet writes a table for programs that calculate.
type sheet struct {
	c *Console
	w *csv.Writer
}

func newSheet(c *Console, out *bufio.Writer) sheet {
	s := sheet{c, csv.NewWriter(out)}
	_ = s.w.Write([]string{"position", "id", "time", "type", "who", "actor", "actor_kind", "door", "address", "target", "what", "changes", "detail"}) // into a buffer
	return s
}

func (s sheet) write(e activity.Entry) error {
	row := s.c.activityRow(e, 0)
	var told []string
	for _, c := range changes(e.Detail) {
		told = append(told, c.What+": "+c.Before+" → "+c.After)
	}
	detail, err := json.Marshal(e.Detail)
	if err != nil {
		return err
	}
	cells := []string{string(e.ID), e.At.UTC().Format(time.RFC3339Nano), string(e.Type), row.Who, e.Actor, string(e.ActorKind), string(e.Via),
		row.Address, e.Target, row.sentence(), strings.Join(told, "; "), string(detail)}
	for i := range cells {
		cells[i] = harmless(cells[i])
	}
	return s.w.Write(append([]string{strconv.FormatInt(e.Position, 10)}, cells...))
}

func (s sheet) flush() error {
	s.w.Flush()
	return s.w.Error()
}

// harmless is a cell that no program takes for a formula, whoever wrote it: what
// begins like one is made text by an apostrophe.
func harmless(cell string) string {
	if trimmed := strings.TrimLeft(cell, " \u00a0\u200b\ufeff"); trimmed != "" && strings.ContainsAny(trimmed[:1], "=+-@\t\r\n|") || strings.HasPrefix(trimmed, "＝") ||
		strings.HasPrefix(trimmed, "＋") || strings.HasPrefix(trimmed, "－") || strings.HasPrefix(trimmed, "＠") {
		return "'" + cell
	}
	return cell
}

// lines writes an object a line.
type lines struct {
	c  *Console
	to *json.Encoder
}

type exportedLine struct {
	Position  int64        `json:"position"`
	ID        string       `json:"id"`
	At        time.Time    `json:"at"`
	Type      audit.Type   `json:"type"`
	Actor     string       `json:"actor"`
	ActorKind caller.Kind  `json:"actor_kind"`
	Via       caller.Way   `json:"via"`
	Target    string       `json:"target"`
	Affects   []string     `json:"affects"`
	Detail    audit.Detail `json:"detail"`
	Sentence  string       `json:"sentence"`
}

func (l lines) write(e activity.Entry) error {
	return l.to.Encode(exportedLine{e.Position, string(e.ID), e.At, e.Type, e.Actor, e.ActorKind, e.Via, e.Target, e.Affects, e.Detail, l.c.activityRow(e, 0).sentence()})
}

func (l lines) flush() error { return nil }
