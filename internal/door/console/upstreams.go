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
	get("/connect/{provider}", member, (*Console).newCloud),
	post("/connect/{provider}", member, (*Console).connectCloud),
	get("/upstreams/{id}/edit", member, (*Console).editUpstream),
	post("/upstreams/{id}/edit", member, (*Console).changeUpstream),
	post("/upstreams/{id}/move", member, (*Console).moveUpstream),
	post("/upstreams/{id}/test", member, (*Console).testUpstream),
	get("/upstreams/{id}/remove", member, (*Console).removeUpstreamForm),
	post("/upstreams/{id}/remove", member, (*Console).removeUpstream),
	get("/models", member, (*Console).models),
	post("/models", member, (*Console).saveModels),
}

var providerNames = map[upstream.Provider]string{
	upstream.Anthropic:    "Anthropic API",
	federated:             "the Anthropic API without a key",
	upstream.AnthropicAWS: "Claude Platform on AWS",
	upstream.Bedrock:      "Amazon Bedrock",
	upstream.Mantle:       "Amazon Bedrock (Messages)",
	upstream.Vertex:       "Google Cloud",
	upstream.Foundry:      "Microsoft Foundry",
	upstream.Simulated:    "Simulated model",
}

type upstreamRow struct {
	ID, Name, Provider, BaseURL string
	Detail                      string
	Place                       int
	First, Last, Inside         bool
	Made                        moment
	Health                      upstreamHealth
}

// upstreamHealth is how an upstream does, in words.
type upstreamHealth struct {
	Status  string
	Why     string
	Resting []string
	Until   moment // of the rest
	Renewed moment // before when the credential is renewed
}

func (c *Console) upstreamHealth(h upstream.Health, used bool) upstreamHealth {
	told := upstreamHealth{Status: "Active", Until: c.moment(h.Until), Renewed: c.moment(h.Expires), Resting: h.Resting}
	switch {
	case !used:
		return upstreamHealth{Status: "Not used yet"}
	case h.Problem != "":
		told.Status, told.Why = "No new credential", sentence(h.Problem)
	case len(h.Resting) > 0:
		told.Status = "Passed over"
	case h.Failed > 0:
		told.Why = count(h.Failed, "request") + " failed lately."
	}
	return told
}

func (c *Console) upstreamList(v *visit) error {
	all, err := c.cfg.Upstreams.List(v.r.Context(), v.who, v.who.Organization)
	if err != nil {
		return err
	}
	health, err := c.cfg.Upstreams.Health(v.r.Context(), v.who, v.who.Organization)
	if err != nil {
		return err
	}
	page, turn := cut(all, v.r.URL)
	var rows []upstreamRow
	for i, u := range page {
		h, used := health[u.Name]
		rows = append(rows, upstreamRow{string(u.ID), u.Name, providerNames[u.Provider], u.BaseURL, whereabouts(u), i + 1, u.ID == all[0].ID, u.ID == all[len(all)-1].ID, u.Provider == upstream.Simulated, c.moment(u.CreatedAt), c.upstreamHealth(h, used)})
	}
	return v.show(http.StatusOK, "upstreams", view{Title: "Upstreams", Lead: "Where models answer. The first that has the model is asked; if it is down, the next.", Notice: v.notice(),
		Action: &link{"/upstreams/new", "Connect an upstream"}, Body: struct {
			Rows   []upstreamRow
			Paging paging
		}{rows, turn}})
}

// whereabouts is where at its provider an upstream is.
func whereabouts(u upstream.Upstream) string {
	in := u.Settings
	var parts []string
	for _, part := range []string{in.Project, in.Resource, in.Workspace, in.Region, in.Geography} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, " · ")
}

// plainFields are those of the Anthropic API with a key.
var plainFields = []field{
	{Kind: "url", Name: "base_url", Label: "Base URL", Placeholder: upstream.AnthropicURL, Help: "Left empty, it is the provider's own.", Autocomplete: "off", Optional: true},
	{Kind: "password", Name: "credential", Label: "API key of the provider", Help: "Needed for the Anthropic API. It is sealed at rest and never shown again, not even to you.", Autocomplete: "off", Depends: true},
}

func newUpstreamPage() (view, *form) {
	f := &form{Action: "/upstreams", Submit: "Connect", Cancel: "/upstreams", Fields: []field{
		{Kind: "radio", Name: "provider", Label: "Provider", Options: []option{
			{Value: string(upstream.Anthropic), Text: "Anthropic API", Help: "Or anything that speaks it, at an address of its own.", Chosen: true},
			{Value: string(federated), Text: "Anthropic API, without a key", Help: "By workload identity federation. The next page asks for what it needs."},
			{Value: string(upstream.Bedrock), Text: providerNames[upstream.Bedrock], Help: "The next page asks for what it needs, and not this one."},
			{Value: string(upstream.Mantle), Text: providerNames[upstream.Mantle], Help: "Bedrock's newer endpoint (Mantle), where the newest models are. The next page asks for what it needs."},
			{Value: string(upstream.Vertex), Text: providerNames[upstream.Vertex], Help: "The next page asks for what it needs."},
			{Value: string(upstream.Foundry), Text: providerNames[upstream.Foundry], Help: "The next page asks for what it needs."},
			{Value: string(upstream.AnthropicAWS), Text: providerNames[upstream.AnthropicAWS], Help: "The next page asks for what it needs."},
			{Value: string(upstream.Simulated), Text: "Simulated model", Help: "No network, no cost, always the same answers. To try things out. It needs none of what follows."},
		}},
		{Kind: "text", Name: "name", Label: "Name", Autocomplete: "off", Length: 100, Optional: true},
	}}
	f.Fields = append(f.Fields, plainFields...)
	f.Fields = append(f.Fields, placing...)
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
	if _, cloud := cloudForms[upstream.Provider(typed.Get("provider"))]; cloud {
		return v.redirect("/connect/" + typed.Get("provider"))
	}
	settings, err := settingsOf(typed)
	if err == nil {
		_, err = c.cfg.Upstreams.Connect(v.r.Context(), v.who, v.who.Organization, upstream.New{Name: typed.Get("name"),
			Provider: upstream.Provider(typed.Get("provider")), BaseURL: typed.Get("base_url"), Credential: secret.New(typed.Get("credential")), Settings: settings})
	}
	if err != nil {
		w, f := newUpstreamPage()
		return v.again("form", w, f, typed, err)
	}
	return v.redirect("/upstreams?done=connected")
}

// namedUpstream finds the upstream of the address among all.
func (c *Console) namedUpstream(v *visit) (all []upstream.Upstream, at int, err error) {
	all, err = c.cfg.Upstreams.List(v.r.Context(), v.who, v.who.Organization)
	if err != nil {
		return nil, 0, err
	}
	at = slices.IndexFunc(all, func(u upstream.Upstream) bool { return string(u.ID) == v.r.PathValue("id") })
	if at < 0 {
		return nil, 0, fault.New(fault.NotFound, "there is no such upstream, or it was removed already")
	}
	return all, at, nil
}

func (c *Console) removeUpstreamForm(v *visit) error {
	all, at, err := c.namedUpstream(v)
	if err != nil {
		return err
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
