package gateway

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/gateway"
	"github.com/gatehouse-dev/gatehouse/internal/id"
)

type modelInfo struct {
	ID          string    `json:"id"`
	Type        string    `json:"type"` // "model"
	DisplayName string    `json:"display_name"`
	CreatedAt   time.Time `json:"created_at"`
}

type modelList struct {
	Data    []modelInfo `json:"data"`
	FirstID *string     `json:"first_id"` // null on an empty page
	LastID  *string     `json:"last_id"`
	HasMore bool        `json:"has_more"`
}

const (
	defaultPage = 20
	maxPage     = 1000
)

// models serves GET /v1/models?limit=&after_id=&before_id=.
func (d *Door) models(w http.ResponseWriter, r *http.Request, request id.Request, who caller.Caller) {
	models, err := d.gateway.Models(r.Context(), who)
	if err != nil {
		d.fail(w, r, request, err)
		return
	}
	list, err := page(models, r.URL.Query())
	if err != nil {
		d.fail(w, r, request, err)
		return
	}
	writeJSON(w, list)
}

// page cuts the part out of models that a query asks for.
func page(models []gateway.Model, query map[string][]string) (modelList, error) {
	limit, err := pageLimit(query["limit"])
	if err != nil {
		return modelList{}, err
	}
	after, before := first(query["after_id"]), first(query["before_id"])
	var more bool
	switch {
	case after != "" && before != "":
		return modelList{}, fault.New(fault.Invalid, "after_id and before_id exclude each other").At("after_id")
	case before != "":
		models = models[:max(0, indexOf(models, before))]
		more = len(models) > limit
		models = models[max(0, len(models)-limit):]
	default:
		if after != "" {
			at := indexOf(models, after)
			if at < 0 {
				at = len(models) - 1
			}
			models = models[at+1:]
		}
		more = len(models) > limit
		models = models[:min(limit, len(models))]
	}
	list := modelList{Data: make([]modelInfo, 0, len(models)), HasMore: more}
	for _, m := range models {
		list.Data = append(list.Data, info(m))
	}
	if n := len(list.Data); n > 0 {
		list.FirstID, list.LastID = &list.Data[0].ID, &list.Data[n-1].ID
	}
	return list, nil
}

func pageLimit(values []string) (int, error) {
	if first(values) == "" {
		return defaultPage, nil
	}
	n, err := strconv.Atoi(values[0])
	if err != nil || n < 1 || n > maxPage {
		return 0, fault.New(fault.Invalid, "limit must be a whole number from 1 to %d", maxPage).At("limit")
	}
	return n, nil
}

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

func indexOf(models []gateway.Model, model string) int {
	return slices.IndexFunc(models, func(m gateway.Model) bool { return m.ID == model })
}

// model serves GET /v1/models/{id}.
func (d *Door) model(w http.ResponseWriter, r *http.Request, request id.Request, who caller.Caller) {
	models, err := d.gateway.Models(r.Context(), who)
	if err != nil {
		d.fail(w, r, request, err)
		return
	}
	at := indexOf(models, r.PathValue("id"))
	if at < 0 {
		d.fail(w, r, request, fault.New(fault.NotFound, "there is no model %q for your organization", r.PathValue("id")))
		return
	}
	writeJSON(w, info(models[at]))
}

func info(m gateway.Model) modelInfo {
	if m.CreatedAt.IsZero() {
		m.CreatedAt = time.Unix(0, 0).UTC() // as the API itself says that it does not know
	}
	name := m.DisplayName
	if name == "" {
		name = m.ID
	}
	return modelInfo{ID: m.ID, Type: "model", DisplayName: name, CreatedAt: m.CreatedAt.UTC()}
}

func writeJSON(w http.ResponseWriter, value any) {
	w.Header()["Content-Type"] = []string{"application/json"}
	w.Header()["Cache-Control"] = []string{"no-store"}
	_ = json.NewEncoder(w).Encode(value) // a client that went away is its own affair
}
