package console

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/cloudaccess"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/upstream"
)

func text(name, label, like, help string, optional bool) field {
	return field{Kind: "text", Name: name, Label: label, Placeholder: like, Help: help, Autocomplete: "off", Length: 200, Optional: optional}
}

// cloudForm is what a form asks for beside a name, a secret and names of models.
type cloudForm struct {
	ways   []option
	fields []field
	secret field
}

func password(label, help string) field {
	return field{Kind: "password", Name: "credential", Label: label, Help: help, Autocomplete: "off", Depends: true}
}

const sealed = " It is sealed at rest and never shown again."

var (
	roleFields = []field{
		text("role_arn", "Role to assume", "arn:aws:iam::123456789012:role/gatehouse", "", true),
		{Kind: "checks", Name: "per_member", Label: "Sessions", Options: []option{{Value: "yes", Text: "Each member has a session of the role", Help: "Named after the member, so that CloudTrail and the bill say who it was. The role must allow sts:TagSession."}}},
	}
	accessKeyID = text("access_key_id", "Access key id", "AKIA…", "With an access key.", true)
	modelNames  = field{Kind: "lines", Name: "models", Label: "Names of models", Help: "Only where they are others than the provider's own: one a line, the model and its name there.", Placeholder: "claude-opus-4-8=my-name-for-it", Rows: 3, Mono: true, Optional: true}
	ambientHelp = "What this server has in its own environment. Whoever runs the server must have allowed it."
)

// federated is the Anthropic API entered without a key, which has a form of its own.
const federated upstream.Provider = "anthropic-federation"

var cloudForms = map[upstream.Provider]cloudForm{
	federated: {
		ways: []option{{Value: string(upstream.WayIssuer), Text: "Identity tokens of this server", Chosen: true},
			{Value: string(upstream.WayAmbient), Text: "The identity token of this server's environment", Help: ambientHelp}},
		fields: []field{
			text("anthropic_organization", "Organization id at Anthropic", "00000000-0000-0000-0000-000000000000", "In the Claude Console under Settings, Organization.", false),
			text("federation_rule", "Federation rule", "fdrl_…", "", false),
			text("service_account", "Service account", "svac_…", "Whom the rule lets in: requests and their cost are its.", false),
			text("workspace", "Workspace id", "wrkspc_…", "Only if the rule is for more than one; or default.", true)},
	},
	upstream.Bedrock: {
		ways: []option{{Value: "", Text: "A Bedrock API key", Chosen: true}, {Value: string(upstream.WayAccess), Text: "An access key of IAM", Help: "Requests are signed with it, or with the role that it assumes."},
			{Value: string(upstream.WayAmbient), Text: "This server's own credentials", Help: ambientHelp}},
		fields: append([]field{
			text("region", "Region", "eu-central-1", "Where Bedrock is asked.", false),
			text("geography", "Geography of the inference profiles", "eu", "us, eu, apac, jp, au or global: requests stay within it. Left empty, models are used without a profile.", true),
			accessKeyID}, append(roleFields,
			text("guardrail", "Guardrail", "abcdefghij", "The id or ARN of a guardrail, which every request passes, whatever a client says.", true),
			text("guardrail_version", "Its version", "1", "", true))...),
		secret: password("Key or secret", "The API key, or the secret of the access key."+sealed),
	},
	upstream.Mantle: {
		ways: []option{{Value: "", Text: "A Bedrock API key", Chosen: true}, {Value: string(upstream.WayAccess), Text: "An access key of IAM", Help: "Requests are signed with it, or with the role that it assumes."},
			{Value: string(upstream.WayAmbient), Text: "This server's own credentials", Help: ambientHelp}},
		fields: append([]field{text("region", "Region", "us-east-1", "", false), accessKeyID}, roleFields...),
		secret: password("Key or secret", "The API key, or the secret of the access key."+sealed),
	},
	upstream.AnthropicAWS: {
		ways: []option{{Value: "", Text: "An API key of the platform", Chosen: true}, {Value: string(upstream.WayAccess), Text: "An access key of IAM", Help: "Requests are signed with it, or with the role that it assumes."},
			{Value: string(upstream.WayAmbient), Text: "This server's own credentials", Help: ambientHelp}},
		fields: append([]field{
			text("region", "Region", "us-east-1", "", false),
			text("workspace", "Workspace id", "wrkspc_…", "Requests and their cost belong to it.", false),
			accessKeyID}, roleFields...),
		secret: password("Key or secret", "The API key, or the secret of the access key."+sealed),
	},
	upstream.Vertex: {
		ways: []option{{Value: string(upstream.WayAccount), Text: "A service account's key", Chosen: true},
			{Value: string(upstream.WayAmbient), Text: "This server's own credentials", Help: ambientHelp}},
		fields: []field{
			text("project", "Project", "my-project", "", false),
			text("region", "Region", "global", "global, us, eu, or a region such as europe-west1: requests stay within it.", false),
			text("impersonate", "Service account to take on", "name@project.iam.gserviceaccount.com", "By the account above, which must be allowed to.", true)},
		secret: password("Key of the service account", "The whole JSON file."+sealed),
	},
	upstream.Foundry: {
		ways: []option{{Value: "", Text: "A key of the resource", Chosen: true}, {Value: string(upstream.WayAccount), Text: "An app registration in Entra"},
			{Value: string(upstream.WayAmbient), Text: "This server's own identity", Help: ambientHelp}},
		fields: []field{
			text("resource", "Resource", "my-resource", "The first part of its address.", true),
			text("tenant", "Tenant id", "", "With an app registration.", true),
			text("client", "Client id", "", "With an app registration.", true)},
		secret: password("Key or secret", "The resource's key, or the secret of the app registration."+sealed),
	},
}

// newCloudPage is the form of one provider.
func (c *Console) newCloudPage(p upstream.Provider, o id.Organization) (view, *form, error) {
	asks, ok := cloudForms[p]
	if !ok {
		return view{}, nil, fault.New(fault.NotFound, "there is no provider of that name")
	}
	f := &form{Action: "/connect/" + string(p), Submit: "Connect", Cancel: "/upstreams/new"}
	f.Fields = append(f.Fields, field{Kind: "text", Name: "name", Label: "Name", Autocomplete: "off", Length: 100, Optional: true},
		field{Kind: "radio", Name: "way", Label: "The way in", Options: append([]option(nil), asks.ways...)})
	for _, one := range asks.fields {
		one.Options = append([]option(nil), one.Options...)
		if one.Name == "role_arn" {
			one.Help = fmt.Sprintf("Not with a key. Its trust policy must ask for the external id %s.", o)
		}
		if one.Name == "federation_rule" {
			one.Help = fmt.Sprintf("For this server's tokens: the issuer %s, the subject %s, the audience %s.", cloudaccess.Issuer(c.cfg.PublicURL, o), cloudaccess.ServerSubject(o), upstream.AnthropicURL)
		}
		f.Fields = append(f.Fields, one)
	}
	if asks.secret.Name != "" {
		f.Fields = append(f.Fields, asks.secret)
	}
	f.Fields = append(f.Fields,
		field{Kind: "url", Name: "base_url", Label: "Address", Help: "Only for an endpoint of your own, such as a VPC or FIPS endpoint. Left empty, it is the provider's.", Autocomplete: "off", Optional: true})
	if p != federated {
		f.Fields = append(f.Fields, modelNames)
	}
	f.Fields = append(f.Fields, placing...)
	return view{Title: "Connect " + providerNames[p], Lead: "Requests of the whole organization can go there. Members never see the credential.", Body: f}, f, nil
}

func (c *Console) newCloud(v *visit) error {
	if err := access.Check(v.who, caller.ManageUpstreams, v.who.Organization); err != nil {
		return err
	}
	w, _, err := c.newCloudPage(upstream.Provider(v.r.PathValue("provider")), v.who.Organization)
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "form", w)
}

func (c *Console) connectCloud(v *visit) error {
	typed, err := v.readForm()
	if err != nil {
		return err
	}
	p := upstream.Provider(v.r.PathValue("provider"))
	asked := p
	if p == federated {
		p = upstream.Anthropic
	}
	settings, err := settingsOf(typed)
	if err == nil {
		_, err = c.cfg.Upstreams.Connect(v.r.Context(), v.who, v.who.Organization, upstream.New{Name: typed.Get("name"), Provider: p,
			BaseURL: typed.Get("base_url"), Credential: secret.New(strings.TrimSpace(typed.Get("credential"))), Settings: settings})
	}
	if err != nil {
		return v.anew("form", func() (view, *form, error) { return c.newCloudPage(asked, v.who.Organization) }, typed, err)
	}
	return v.redirect("/upstreams?done=connected")
}

func settingsOf(typed url.Values) (upstream.Settings, error) {
	in := upstream.Settings{Way: upstream.Way(typed.Get("way")), Region: typed.Get("region"), Geography: typed.Get("geography"), AccessKeyID: typed.Get("access_key_id"),
		RoleARN: typed.Get("role_arn"), PerMember: typed.Get("per_member") == "yes", Workspace: typed.Get("workspace"), Project: typed.Get("project"), Fence: typed.Get("fence"), Pool: typed.Get("pool"),
		Impersonate: typed.Get("impersonate"), Resource: typed.Get("resource"), Tenant: typed.Get("tenant"), Client: typed.Get("client"),
		Guardrail: typed.Get("guardrail"), GuardrailVersion: typed.Get("guardrail_version"),
		FederationRule: typed.Get("federation_rule"), AnthropicOrg: typed.Get("anthropic_organization"), ServiceAccount: typed.Get("service_account")}
	for line := range strings.Lines(typed.Get("models")) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		model, name, ok := strings.Cut(line, "=")
		if !ok {
			return in, fault.New(fault.Invalid, "each line is a model and its name there, such as claude-opus-4-8=my-deployment").At("models")
		}
		if in.Models == nil {
			in.Models = map[string]string{}
		}
		in.Models[strings.TrimSpace(model)] = strings.TrimSpace(name)
	}
	for name, into := range map[string]*int{"weight": &in.Weight, "requests_per_minute": &in.RequestsPerMinute, "tokens_per_minute": &in.TokensPerMinute} {
		if text := strings.TrimSpace(typed.Get(name)); text != "" {
			n, err := strconv.Atoi(text)
			if err != nil {
				return in, fault.New(fault.Invalid, "this is a whole number").At(name)
			}
			*into = n
		}
	}
	return in, nil
}

// placing are the fields of every provider that say when it is asked.
var placing = []field{
	{Kind: "text", Name: "weight", Label: "Share of the load", Placeholder: "0", Help: "Neighbours in the order that have a share divide sessions by it. Without one, the upstream is asked when those before it cannot answer.", Autocomplete: "off", Length: 4, Optional: true},
	{Kind: "text", Name: "fence", Label: "Fence", Placeholder: "eu", Help: "A name. What fails at an upstream is tried only at others with the same one.", Autocomplete: "off", Length: 100, Optional: true},
	{Kind: "text", Name: "requests_per_minute", Label: "Requests a minute", Placeholder: "1000", Help: "What the account may be asked for each model. What is more goes to the next upstream, or is told when to come again. Each node of this server counts for itself.", Autocomplete: "off", Length: 10, Optional: true},
	{Kind: "text", Name: "tokens_per_minute", Label: "Tokens a minute", Placeholder: "2000000", Help: "Of input and output together, without what comes out of a cache.", Autocomplete: "off", Length: 10, Optional: true},
	{Kind: "text", Name: "pool", Label: "Pool", Placeholder: "our-account", Help: "A name. Upstreams with the same one draw from one quota: that of the first in the order that has one.", Autocomplete: "off", Length: 100, Optional: true},
}

func (c *Console) moveUpstream(v *visit) error {
	typed, err := v.readForm()
	if err != nil {
		return err
	}
	if err := c.cfg.Upstreams.Move(v.r.Context(), v.who, v.who.Organization, id.Upstream(v.r.PathValue("id")), typed.Get("to") == "forward"); err != nil {
		return err
	}
	return v.redirect("/upstreams?done=moved")
}

// probed is what came of a test.
type probed struct {
	Good    bool
	Facts   []fact
	Problem *problem
	Again   string
}

func (c *Console) testUpstream(v *visit) error {
	u, found, err := c.cfg.Upstreams.Test(v.r.Context(), v.who, v.who.Organization, id.Upstream(v.r.PathValue("id")), "")
	if err != nil {
		return err
	}
	body := probed{Good: found.Problem == "", Again: v.r.URL.Path}
	body.Facts = append(body.Facts, fact{Label: "Model asked", Value: found.Model}, fact{Label: "Time", Value: found.Took.Round(time.Millisecond).String()})
	if found.Status != 0 {
		body.Facts = append(body.Facts, fact{Label: "Status", Value: fmt.Sprint(found.Status)})
	}
	if found.Answer != "" {
		body.Facts = append(body.Facts, fact{Label: "Answer", Value: found.Answer})
	}
	if !found.Expires.IsZero() {
		body.Facts = append(body.Facts, fact{Label: "Credential renewed before", Value: found.Expires.UTC().Format("15:04 MST")})
	}
	w := view{Title: u.Name + " answers", Lead: "One token was asked for and came back.", Body: body}
	if !body.Good {
		w.Title, w.Lead = u.Name+" does not answer", "What came back instead:"
		w.Problem = &problem{Message: sentence(found.Problem), Hint: sentence(found.Hint)}
	}
	return v.show(http.StatusOK, "upstream-test", w)
}
