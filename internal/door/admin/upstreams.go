package admin

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/gatehouse-dev/gatehouse/api"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/upstream"
)

// Settings of upstreams are read and written, and described, as the room has
// them: one that it gets more is here by that.
type (
	upstreamShown  = api.Upstream[upstream.Settings]
	upstreamNew    = api.UpstreamNew[upstream.Settings]
	upstreamChange = api.UpstreamChange[upstream.Settings]
)

func (d *Door) upstreamOperations() []operation {
	return []operation{
		shows("GET /upstreams", "List upstreams, in their order", whole(d.allUpstreams, upstreamState.shown, upstreamState.place), onward...),
		takes("POST /upstreams", "Connect an upstream", d.connectUpstream),
		takes("POST /upstreams/order", "Put all upstreams into an order", d.orderUpstreams),
		shows("GET /upstreams/{id}", "One upstream", d.upstream),
		takes("POST /upstreams/{id}", "Change an upstream", d.changeUpstream),
		shows("DELETE /upstreams/{id}", "Remove an upstream", d.removeUpstream),
		mayTake("POST /upstreams/{id}/test", "Ask an upstream for one token", d.testUpstream),
	}
}

// upstreamState is an upstream and how it does.
type upstreamState struct {
	upstream.Upstream
	health *upstream.Health // nil: there is nothing to say
}

// place is where an upstream stands in the order.
func (s upstreamState) place() string { return fmt.Sprintf("%020d %s", s.Place, s.ID) }

func (s upstreamState) shown() upstreamShown {
	return upstreamShown{ID: string(s.ID), Type: "upstream", Name: s.Name, Provider: api.UpstreamProvider(s.Provider), BaseURL: s.BaseURL,
		Settings: s.Settings, CreatedAt: api.Time{Time: s.CreatedAt}, Health: healthShown(s.health)}
}

func healthShown(h *upstream.Health) *api.UpstreamHealth {
	if h == nil {
		return nil
	}
	return &api.UpstreamHealth{Type: "upstream_health", CredentialExpiresAt: api.MaybeTime(h.Expires), Problem: said(h.Problem),
		RestingModels: texts(h.Resting), RestingUntil: api.MaybeTime(h.Until), FailedRequests: int64(h.Failed)}
}

// said is a text, or null for none.
func said(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func (d *Door) allUpstreams(c call, _ *asked) ([]upstreamState, error) {
	all, err := d.cfg.Upstreams.List(c.Context(), c.who, c.who.Organization)
	if err != nil {
		return nil, err
	}
	known, err := d.cfg.Upstreams.Health(c.Context(), c.who, c.who.Organization)
	if err != nil {
		return nil, err
	}
	return wires(all, func(u upstream.Upstream) upstreamState {
		s := upstreamState{Upstream: u}
		if h, ok := known[u.Name]; ok {
			s.health = &h
		}
		return s
	}), nil
}

func (d *Door) upstream(c call) (upstreamShown, error) {
	all, err := d.allUpstreams(c, nil)
	if err != nil {
		return upstreamShown{}, err
	}
	at := slices.IndexFunc(all, func(s upstreamState) bool { return s.ID == named[id.Upstream](c) })
	if at < 0 {
		return upstreamShown{}, fault.New(fault.NotFound, "there is no such upstream, or it was removed already")
	}
	return all[at].shown(), nil
}

func (d *Door) connectUpstream(c call, in upstreamNew) (upstreamShown, error) {
	made := upstream.New{Name: given(in.Name), Provider: upstream.Provider(in.Provider), BaseURL: given(in.BaseURL), Credential: secret.New(given(in.Credential)), Settings: given(in.Settings)}
	u, err := d.cfg.Upstreams.Connect(c.Context(), c.who, c.who.Organization, made)
	return upstreamState{Upstream: u}.shown(), inSettings(err)
}

func (d *Door) changeUpstream(c call, in upstreamChange) (upstreamShown, error) {
	change := upstream.Change{BaseURL: in.BaseURL, Credential: secret.New(given(in.Credential)), Settings: in.Settings}
	if _, err := d.cfg.Upstreams.Change(c.Context(), c.who, c.who.Organization, named[id.Upstream](c), change); err != nil {
		return upstreamShown{}, inSettings(err)
	}
	return d.upstream(c)
}

// given is what a body has, or the zero value.
func given[T any](v *T) (zero T) {
	if v == nil {
		return zero
	}
	return *v
}

// inSettings says where in a body a setting is that the room finds wrong: to the
// room it is a name among others.
func inSettings(err error) error {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Field == "" {
		return err
	}
	at := f.Field
	if _, setting := fields(reflect.TypeFor[upstream.Settings]())[at]; setting {
		at = "settings." + at
	}
	f = f.At(at)
	f.Message = at + ": " + f.Message
	return f
}

func (d *Door) removeUpstream(c call) (api.UpstreamDeleted, error) {
	u := named[id.Upstream](c)
	return api.UpstreamDeleted{ID: string(u), Type: "upstream_deleted"}, d.cfg.Upstreams.Remove(c.Context(), c.who, c.who.Organization, u)
}

func (d *Door) orderUpstreams(c call, in api.UpstreamOrder) (page api.CursorPage[upstreamShown], err error) {
	order := wires(in.IDs, func(v string) id.Upstream { return id.Upstream(v) })
	if err := d.cfg.Upstreams.Order(c.Context(), c.who, c.who.Organization, order); err != nil {
		return page, err
	}
	all, err := d.allUpstreams(c, nil)
	page.Data = wires(all, upstreamState.shown)
	return page, err
}

func (d *Door) testUpstream(c call, in api.UpstreamTestNew) (api.UpstreamTest, error) {
	model := given(in.Model)
	if len(model) > 200 || !plain(model) || strings.TrimSpace(model) != model {
		return api.UpstreamTest{}, fault.New(fault.Invalid, "model must be the name of a model").At("model")
	}
	u, found, err := d.cfg.Upstreams.Test(c.Context(), c.who, c.who.Organization, named[id.Upstream](c), model)
	out := api.UpstreamTest{Type: "upstream_test", UpstreamID: string(u.ID), Model: found.Model, Answer: said(found.Answer), Problem: said(found.Problem),
		Hint: said(found.Hint), TookMS: found.Took.Milliseconds(), CredentialExpiresAt: api.MaybeTime(found.Expires)}
	if found.Status != 0 {
		status := int64(found.Status)
		out.Status = &status
	}
	return out, err
}
