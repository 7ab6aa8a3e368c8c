package console

import (
	"net/http"
	"slices"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/upstream"
)

var upstreamRoutes = []route{
	get("/upstreams", member, (*Console).upstreamList),
	post("/upstreams", member, (*Console).connect),
	get("/upstreams/new", member, (*Console).newUpstream),
	get("/upstreams/{id}/remove", member, (*Console).removeUpstreamForm),
	post("/upstreams/{id}/remove", member, (*Console).removeUpstream),
	get("/models", member, (*Console).models),
	post("/models", member, (*Console).saveModels),
}

var providerNames = map[upstream.Provider]string{
	upstream.Anthropic: "Anthropic API",
	upstream.Simulated: "Simulated model",
}

type upstreamRow struct {
	ID, Name, Provider, BaseURL string
	Place                       int
	Made                        moment
}

func (c *Console) upstreamList(v *visit) error {
	all, err := c.cfg.Upstreams.List(v.r.Context(), v.who, v.who.Organization)
	if err != nil {
		return err
	}
	page, turn := cut(all, v.r.URL)
	var rows []upstreamRow
	for i, u := range page {
		rows = append(rows, upstreamRow{string(u.ID), u.Name, providerNames[u.Provider], u.BaseURL, i + 1, c.moment(u.CreatedAt)})
	}
	return v.show(http.StatusOK, "upstreams", view{Title: "Upstreams", Lead: "Where models answer. The first is asked.", Notice: v.notice(),
		Action: &link{"/upstreams/new", "Connect an upstream"}, Body: struct {
			Rows   []upstreamRow
			Paging paging
		}{rows, turn}})
}

func newUpstreamPage() (view, *form) {
	f := &form{Action: "/upstreams", Submit: "Connect", Cancel: "/upstreams", Fields: []field{
		{Kind: "radio", Name: "provider", Label: "Provider", Options: []option{
			{Value: string(upstream.Anthropic), Text: "Anthropic API", Help: "Or anything that speaks it, at an address of its own.", Chosen: true},
			{Value: string(upstream.Simulated), Text: "Simulated model", Help: "No network, no cost, always the same answers. To try things out. It needs none of what follows."},
		}},
		{Kind: "text", Name: "name", Label: "Name", Autocomplete: "off", Length: 100, Optional: true},
		{Kind: "url", Name: "base_url", Label: "Base URL", Placeholder: upstream.AnthropicURL, Help: "Left empty, it is the provider's own.", Autocomplete: "off", Optional: true},
		{Kind: "password", Name: "credential", Label: "API key of the provider", Help: "Needed for the Anthropic API. It is sealed at rest and never shown again, not even to you.", Autocomplete: "off", Depends: true},
	}}
	return view{Title: "Connect an upstream", Lead: "Requests of the whole organization go there with this key. Members never see it.", Body: f}, f
}

func (c *Console) newUpstream(v *visit) error {
	if err := access.Check(v.who, caller.ManageUpstreams, v.who.Organization); err != nil {
		return err
	}
	w, _ := newUpstreamPage()
	return v.show(http.StatusOK, "form", w)
}

func (c *Console) connect(v *visit) error {
	typed, err := v.readForm()
	if err != nil {
		return err
	}
	_, err = c.cfg.Upstreams.Connect(v.r.Context(), v.who, v.who.Organization, upstream.New{Name: typed.Get("name"),
		Provider: upstream.Provider(typed.Get("provider")), BaseURL: typed.Get("base_url"), Credential: secret.New(typed.Get("credential"))})
	if err != nil {
		w, f := newUpstreamPage()
		return v.again("form", w, f, typed, err)
	}
	return v.redirect("/upstreams?done=connected")
}

func (c *Console) removeUpstreamForm(v *visit) error {
	all, err := c.cfg.Upstreams.List(v.r.Context(), v.who, v.who.Organization)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(all, func(u upstream.Upstream) bool { return string(u.ID) == v.r.PathValue("id") })
	if at < 0 {
		return fault.New(fault.NotFound, "there is no such upstream, or it was removed already")
	}
	effect := "Requests go to " + all[(at+1)%len(all)].Name + " instead."
	if len(all) == 1 {
		effect = "It is the only one: every request of every member and key fails until another is connected."
	} else if at > 0 {
		effect = "Requests go on to " + all[0].Name + ", which stands before it."
	}
	return v.show(http.StatusOK, "confirm", view{Title: "Remove " + all[at].Name + "?", Lead: all[at].BaseURL, Body: confirm{Danger: true,
		Effects: []string{effect, "Its API key is forgotten here; at the provider it goes on working until you revoke it there."},
		Action:  v.r.URL.Path, Submit: "Remove the upstream", Cancel: "/upstreams"}})
}

func (c *Console) removeUpstream(v *visit) error {
	if err := c.cfg.Upstreams.Remove(v.r.Context(), v.who, v.who.Organization, id.Upstream(v.r.PathValue("id"))); err != nil {
		return err
	}
	return v.redirect("/upstreams?done=unplugged")
}

func modelsPage(models []string) (view, *form) {
	f := &form{Action: "/models", Submit: "Save the list", Fields: []field{
		{Kind: "lines", Name: "models", Label: "Models that may be used", Help: "One a line, as clients name them. Leave it empty to allow every model of the upstream.",
			Placeholder: "claude-opus-5\nclaude-sonnet-5", Value: strings.Join(models, "\n"), Mono: true, Optional: true},
	}}
	return view{Title: "Allowed models", Lead: "A request for another model is refused with a message that names these.", Body: f}, f
}

func (c *Console) models(v *visit) error {
	if err := access.Check(v.who, caller.ManageOrganization, v.who.Organization); err != nil {
		return err
	}
	o, err := c.cfg.Organizations.Get(v.r.Context(), v.who, v.who.Organization)
	if err != nil {
		return err
	}
	w, _ := modelsPage(o.Settings.Models)
	w.Notice = v.notice()
	return v.show(http.StatusOK, "form", w)
}

func (c *Console) saveModels(v *visit) error {
	typed, err := v.readForm()
	if err != nil {
		return err
	}
	list := strings.FieldsFunc(typed.Get("models"), func(r rune) bool { return r == '\n' || r == '\r' || r == ',' })
	if err := c.cfg.Organizations.SetModels(v.r.Context(), v.who, v.who.Organization, list); err != nil {
		w, f := modelsPage(nil)
		return v.again("form", w, f, typed, err)
	}
	return v.redirect("/models?done=models")
}
