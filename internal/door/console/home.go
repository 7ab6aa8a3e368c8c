package console

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/apikey"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/onboarding"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/usage"
)

var homeRoutes = []route{
	get("/{$}", member, (*Console).home),
}

// step is one thing to set up.
type step struct {
	Done       bool
	Text, Help string
	Act        link
}

// fact is one number of the overview.
type fact struct {
	Label, Value, Help string
	To                 string
	Warning            bool
}

// way is one way to get a client in.
type way struct {
	Title, Help, Command string
	Open                 bool
}

func (c *Console) home(v *visit) error {
	if !v.who.Rights.Has(caller.ReadOrganization) {
		return v.show(http.StatusOK, "nothing", view{Title: "You are in, and that is all so far", Lead: "Your role at " + v.organizationName() + " gives nothing by itself, and no group gives you anything yet."})
	}
	offered, err := c.offered(v)
	if err != nil {
		return err
	}
	facts, steps, err := c.overview(v)
	if err != nil {
		return err
	}
	mine, err := c.state(v)
	if err != nil {
		return err
	}
	o, err := c.cfg.Organizations.Get(v.r.Context(), v.who, v.who.Organization)
	if err != nil {
		return err
	}
	w := view{Title: greeting(v.who.Name), Notice: v.notice()}
	switch {
	case steps == nil:
		w.Lead = "This is where your access to Claude at " + v.organizationName() + " comes from."
	case slices.ContainsFunc(steps, func(s step) bool { return !s.Done }):
		w.Lead = "A few things are left to set up."
	default:
		w.Lead, steps = "Everything is set up.", nil
	}
	if err := c.leadToStart(v, &w); err != nil {
		return err
	}
	w.Body = struct {
		Offered  string
		Steps    []step
		Facts    []fact
		Ways     []way
		Proposes bool // but may not invite
	}{offered, steps, append(facts, mine...), c.ways(v.who, o.Settings.Models),
		o.Settings.Proposals && v.who.Rights.Has(caller.ProposeMembers) && !v.who.Rights.Has(caller.ManageMembers)}
	return v.show(http.StatusOK, "home", w)
}

// offered is what the visitor is to know of an offer of ownership that stands.
func (c *Console) offered(v *visit) (string, error) {
	o, ok, err := c.cfg.Organizations.OwnershipOffer(v.r.Context(), v.who, v.who.Organization)
	switch {
	case err != nil || !ok:
		return "", err
	case o.To.ID == v.who.Member:
		return o.From.Email + " offers you to become the primary owner of the organization.", nil
	}
	return "You offered the organization to " + o.To.Email + "; they have not answered yet.", nil
}

// leadToStart offers the visitor's own set-up while it is not done.
func (c *Console) leadToStart(v *visit, w *view) error {
	if !v.who.Rights.Has(caller.UseModels) || !v.who.Rights.Has(caller.OwnSessions) {
		return nil
	}
	p, err := c.cfg.Onboarding.Mine(v.r.Context(), v.who)
	if err == nil && p.Step != onboarding.Done {
		w.Action = &link{"/start", "Get started"}
	}
	return err
}

func greeting(name string) string {
	first, _, _ := strings.Cut(name, " ")
	if first == "" || strings.Contains(first, "@") {
		return "Welcome"
	}
	return "Welcome, " + first
}

// overview is what those who run the organization see first.
func (c *Console) overview(v *visit) ([]fact, []step, error) {
	if !v.who.Rights.Has(caller.ManageUpstreams) || !v.who.Rights.Has(caller.ManageMembers) {
		return nil, nil, nil
	}
	ctx, o := v.r.Context(), v.who.Organization
	upstreams, err := c.cfg.Upstreams.List(ctx, v.who, o)
	if err != nil {
		return nil, nil, err
	}
	counts, err := c.cfg.Organizations.Counts(ctx, v.who, o)
	if err != nil {
		return nil, nil, err
	}
	sessions, err := c.cfg.Sessions.Count(ctx, v.who, o, "")
	if err != nil {
		return nil, nil, err
	}
	active := counts[org.Active]
	up := fact{Label: "Upstreams", Value: number(int64(len(upstreams))), To: "/upstreams"}
	if len(upstreams) == 0 {
		up.Warning, up.Help = true, "No request can be answered until one is connected."
	} else {
		up.Help = "Requests go to " + upstreams[0].Name + "."
	}
	funnel, err := c.cfg.Onboarding.Funnel(ctx, v.who, o)
	if err != nil {
		return nil, nil, err
	}
	steps := []step{
		{len(upstreams) > 0, "Connect an upstream", "Where models answer: the Anthropic API with your organization's key, or the simulated model to try things out.", link{"/upstreams/new", "Connect"}},
		{active+counts[org.Suspended] > 1, "Invite the first people", "They get a link by mail, choose a password, and sign in their own devices.", link{"/invitations/new", "Invite people"}},
		{sessions > 0, "Sign in a device", "Yours will do. A page of its own leads you through it.", link{"/start", "Get started"}},
	}
	return []fact{up, {Label: "Active members", Value: number(int64(active)), To: "/members"},
		{Label: "Setting up", Value: number(int64(unfinished(funnel))), Help: "Members without a first answer yet.", To: "/people/setup"},
		{Label: "Device sessions", Value: number(int64(sessions)), To: "/sessions"}}, steps, nil
}

// state is what concerns the visitor, or everybody for who may see that.
func (c *Console) state(v *visit) ([]fact, error) {
	ctx, o := v.r.Context(), v.who.Organization
	var facts []fact
	if v.who.Rights.Has(caller.OwnSessions) && !v.who.Rights.Has(caller.AllSessions) {
		sessions, err := c.cfg.Sessions.Count(ctx, v.who, o, v.who.Member)
		if err != nil {
			return nil, err
		}
		facts = append(facts, fact{Label: "My devices", Value: number(int64(sessions)), To: "/sessions"})
	}
	if v.who.Rights.Has(caller.OwnKeys) {
		keys, more, err := c.cfg.Keys.List(ctx, v.who, o, apikey.Filter{Member: v.who.Member, Status: apikey.Active, Limit: 100})
		if err != nil {
			return nil, err
		}
		n := number(int64(len(keys)))
		if more {
			n += "+"
		}
		facts = append(facts, fact{Label: "My active keys", Value: n, To: "/keys"})
	}
	if v.who.Rights.Has(caller.OwnUsage) {
		f := usage.Filter{Member: v.who.Member, From: c.cfg.Now().UTC().Truncate(day)}
		label := "My requests today"
		if v.who.Rights.Has(caller.AllUsage) {
			f.Member, label = "", "Requests today"
		}
		totals, err := c.cfg.Usage.Totals(ctx, v.who, o, f)
		if err != nil {
			return nil, err
		}
		facts = append(facts, fact{Label: label, Value: number(totals.Requests), Help: dollars(totals.CostNanos) + " by list price.", To: "/usage"})
	}
	return facts, nil
}

// ways are the commands that get a client in.
func (c *Console) ways(who caller.Caller, models []string) []way {
	if !who.Rights.Has(caller.UseModels) {
		return nil
	}
	model := "claude-sonnet-5"
	if len(models) > 0 {
		model = models[0]
	}
	u := c.publicURL
	ways := []way{
		{"Claude Code, with the gatehouse command", "Sign in once in the browser, set Claude Code up, and start it.",
			"gatehouse login --server " + u + "\ngatehouse setup claude-code\nclaude", true},
		{"Claude Code and the official SDKs, by profile", "Kept in a file, the sign-in is a profile as well. The clients read it and renew it themselves.",
			"gatehouse login --storage file --server " + u + "\nANTHROPIC_PROFILE=gatehouse claude", false},
		{"Anything that runs a credential script", "For settings that you keep yourself: this is what gatehouse setup writes.",
			fmt.Sprintf("{\n  \"env\": {\"ANTHROPIC_BASE_URL\": %q},\n  \"apiKeyHelper\": \"gatehouse token\"\n}", u), false},
		{"Nothing of ours installed", "Claude Code's own sign-in, with these managed settings. Then type /login.",
			fmt.Sprintf("{\n  \"forceLoginMethod\": \"gateway\",\n  \"forceLoginGatewayUrl\": %q\n}", u), false},
	}
	if !who.Rights.Has(caller.OwnKeys) {
		return ways
	}
	return append(ways,
		way{"An API key", "Create one under API keys. It goes wherever an Anthropic key goes.",
			"export ANTHROPIC_BASE_URL=" + u + "\nexport ANTHROPIC_API_KEY=sk-gate-api01-…\nclaude", false},
		way{"curl", "With the two variables from above.",
			fmt.Sprintf("curl $ANTHROPIC_BASE_URL/v1/messages \\\n  -H \"x-api-key: $ANTHROPIC_API_KEY\" \\\n  -H \"anthropic-version: 2023-06-01\" \\\n  -H \"content-type: application/json\" \\\n  -d '{\"model\": \"%s\", \"max_tokens\": 200,\n       \"messages\": [{\"role\": \"user\", \"content\": \"Hello\"}]}'", model), false},
		way{"Python", "The SDK reads the two variables by itself.",
			fmt.Sprintf("from anthropic import Anthropic\n\nmessage = Anthropic().messages.create(\n    model=%q, max_tokens=200,\n    messages=[{\"role\": \"user\", \"content\": \"Hello\"}])\nprint(message.content[0].text)", model), false})
}
