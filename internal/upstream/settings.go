package upstream

import (
	"regexp"
	"strings"
	"sync"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

// Way is how this server proves to a provider who it is.
type Way string

const (
	WayKey     Way = ""           // a key that is sent as it is: the default
	WayAccess  Way = "access_key" // the access key of an IAM user; the credential is its secret
	WayAccount Way = "account"    // the JSON key of a Google service account; a client's secret at Entra
	WayAmbient Way = "ambient"    // what this server has in its own environment
	WayIssuer  Way = "issuer"     // identity tokens that this server signs, as the organization's issuer
)

// Settings are what a provider wants to know beside an address and a secret. Which
// of them count depends on the provider. There is no secret among them.
type Settings struct {
	Way Way `json:"way,omitempty"`

	Region      string `json:"region,omitempty"`        // of AWS and Google Cloud
	Geography   string `json:"geography,omitempty"`     // of Bedrock's inference profiles, such as "eu"
	AccessKeyID string `json:"access_key_id,omitempty"` // with WayAccess
	RoleARN     string `json:"role_arn,omitempty"`      // assumed; the organization's id is the external id
	PerMember   bool   `json:"per_member,omitempty"`    // each member has a session of the role

	// Guardrail is the id or ARN of a guardrail of Bedrock, which every request passes
	// whatever it says itself.
	Guardrail        string `json:"guardrail,omitempty"`
	GuardrailVersion string `json:"guardrail_version,omitempty"`

	Workspace string `json:"workspace,omitempty"` // of Claude Platform on AWS, or that a federation rule is for

	// Of workload identity federation at Anthropic, with WayIssuer and WayAmbient.
	FederationRule string `json:"federation_rule,omitempty"`
	AnthropicOrg   string `json:"anthropic_organization,omitempty"`
	ServiceAccount string `json:"service_account,omitempty"`

	Project     string `json:"project,omitempty"`     // of Google Cloud
	Impersonate string `json:"impersonate,omitempty"` // a service account that is taken on

	Resource string `json:"resource,omitempty"` // of Foundry
	Tenant   string `json:"tenant,omitempty"`   // of Entra, with WayAccount
	Client   string `json:"client,omitempty"`

	// Weight is the share of the load that the upstream takes from its neighbours in
	// the order that have one too; 0: none, what comes before is preferred.
	Weight int `json:"weight,omitempty"`
	// Fence is a name, such as "eu": what fails within it is not sent beyond it.
	Fence string `json:"fence,omitempty"`

	// Pool names a quota that upstreams of the same account share; with a quota and
	// without a name, the upstream has its own. The quota is a minute's for each model
	// and node; 0: any number.
	Pool              string `json:"pool,omitempty"`
	RequestsPerMinute int    `json:"requests_per_minute,omitempty"`
	TokensPerMinute   int    `json:"tokens_per_minute,omitempty"`

	// Models are names that are others than the catalogue says: model → name there.
	Models map[string]string `json:"models,omitempty"`
}

const (
	maxModels = 100
	maxWeight = 1000
	maxQuota  = 1_000_000_000
)

var (
	regionForm  = form(`[a-z0-9-]{2,32}`)
	projectForm = form(`[a-z0-9][a-z0-9.:-]{1,62}`)
	accountForm = form(`[a-z0-9.+_-]+@[a-z0-9.-]+`)
	roleForm    = form(`arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]{1,128}`)
	keyIDForm   = form(`[A-Z0-9]{16,128}`)
	nameForm    = form(`[A-Za-z0-9][A-Za-z0-9._-]{1,99}`)
	modelForm   = form(`[A-Za-z0-9][A-Za-z0-9._:@-]{0,99}`)
	guardForm   = form(`[a-z0-9]{1,64}|arn:aws[a-z-]*:bedrock:[a-z0-9-]{1,20}:\d{12}:guardrail/[a-z0-9]{1,64}`)
	versionForm = form(`[1-9][0-9]{0,7}|DRAFT`)
	ruleForm    = form(`fdrl_[A-Za-z0-9]{1,64}`)
	uuidForm    = form(`[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}`)
	accountID   = form(`svac_[A-Za-z0-9]{1,64}`)
	spaceForm   = form(`wrkspc_[A-Za-z0-9]{1,64}|default`)
	targetForm  = form(`[A-Za-z0-9][A-Za-z0-9._:@/-]{0,255}`)
)

func form(expression string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(?:` + expression + `)$`) })
}

// wanted is one setting of a provider.
type wanted struct {
	name   string
	value  string
	form   func() *regexp.Regexp
	needed bool
	like   string
}

func (w wanted) check() error {
	switch {
	case w.value == "" && w.needed:
		return fault.New(fault.Invalid, "this is needed, such as %s", w.like).At(w.name)
	case w.value != "" && !w.form().MatchString(w.value):
		return fault.New(fault.Invalid, "this must look like %s", w.like).At(w.name)
	}
	return nil
}

// checkSettings checks what a provider needs of the settings, and clears the rest.
func checkSettings(u *Upstream) error {
	in := u.Settings
	in.trim()
	out := Settings{Way: in.Way, Models: in.Models, Weight: in.Weight, Fence: in.Fence,
		Pool: in.Pool, RequestsPerMinute: in.RequestsPerMinute, TokensPerMinute: in.TokensPerMinute}
	if in.Weight < 0 || in.Weight > maxWeight {
		return fault.New(fault.Invalid, "a share is a whole number from 0 to %d", maxWeight).At("weight")
	}
	for name, n := range map[string]int{"requests_per_minute": in.RequestsPerMinute, "tokens_per_minute": in.TokensPerMinute} {
		if n < 0 || n > maxQuota {
			return fault.New(fault.Invalid, "a quota is a whole number from 0 to %d", maxQuota).At(name)
		}
	}
	all := []wanted{{"fence", in.Fence, nameForm, false, "eu"}, {"pool", in.Pool, nameForm, false, "our-account"}}
	switch u.Provider {
	case Anthropic:
		if in.Way != WayKey {
			all = append(all, federation(&out, in)...)
		}
	case Bedrock:
		out.Region, out.Geography, out.Guardrail, out.GuardrailVersion = in.Region, in.Geography, in.Guardrail, in.GuardrailVersion
		all = append(append(all, aws(&out, in)...), wanted{"geography", in.Geography, regionForm, false, "eu"},
			wanted{"guardrail", in.Guardrail, guardForm, in.GuardrailVersion != "", "the id of a guardrail, or its ARN"},
			wanted{"guardrail_version", in.GuardrailVersion, versionForm, in.Guardrail != "", "1 or DRAFT"})
	case Mantle:
		out.Region = in.Region
		all = append(all, aws(&out, in)...)
	case AnthropicAWS:
		out.Region, out.Workspace = in.Region, in.Workspace
		all = append(append(all, aws(&out, in)...), wanted{"workspace", in.Workspace, nameForm, true, "wrkspc_0123"})
	case Vertex:
		out.Region, out.Project, out.Impersonate = in.Region, in.Project, in.Impersonate
		all = append(all, wanted{"region", in.Region, regionForm, true, "global or europe-west1"}, wanted{"project", in.Project, projectForm, true, "my-project"},
			wanted{"impersonate", in.Impersonate, accountForm, false, "name@project.iam.gserviceaccount.com"})
		if out.Way == WayKey {
			out.Way = WayAccount
		}
	case Foundry:
		out.Resource = in.Resource
		all = append(all, wanted{"resource", in.Resource, nameForm, u.BaseURL == "", "my-resource"})
		if in.Way == WayAccount {
			out.Tenant, out.Client = in.Tenant, in.Client
			all = append(all, wanted{"tenant", in.Tenant, nameForm, true, "the id of a directory"}, wanted{"client", in.Client, nameForm, true, "the id of an app registration"})
		}
	}
	for _, w := range all {
		if err := w.check(); err != nil {
			return err
		}
	}
	u.Settings = out
	return checkModels(in.Models)
}

func federation(out *Settings, in Settings) []wanted {
	out.FederationRule, out.AnthropicOrg, out.ServiceAccount, out.Workspace = in.FederationRule, in.AnthropicOrg, in.ServiceAccount, in.Workspace
	return []wanted{
		{"federation_rule", in.FederationRule, ruleForm, true, "fdrl_0123"},
		{"anthropic_organization", in.AnthropicOrg, uuidForm, true, "00000000-0000-0000-0000-000000000000"},
		{"service_account", in.ServiceAccount, accountID, true, "svac_0123"},
		{"workspace", in.Workspace, spaceForm, false, "wrkspc_0123 or default"},
	}
}

func aws(out *Settings, in Settings) []wanted {
	all := []wanted{{"region", in.Region, regionForm, true, "eu-central-1"}}
	if in.Way == WayAccess {
		out.AccessKeyID = in.AccessKeyID
		all = append(all, wanted{"access_key_id", in.AccessKeyID, keyIDForm, true, "AKIAIOSFODNN7EXAMPLE"})
	}
	if in.Way != WayKey {
		out.RoleARN, out.PerMember = in.RoleARN, in.PerMember && in.RoleARN != ""
		all = append(all, wanted{"role_arn", in.RoleARN, roleForm, false, "arn:aws:iam::123456789012:role/gatehouse"})
	}
	return all
}

func checkModels(models map[string]string) error {
	if len(models) > maxModels {
		return fault.New(fault.Invalid, "at most %d models can have names of their own", maxModels).At("models")
	}
	for model, name := range models {
		if !modelForm().MatchString(model) || !targetForm().MatchString(name) {
			return fault.New(fault.Invalid, "each line is a model and its name there, such as claude-opus-4-8=my-deployment").At("models")
		}
	}
	return nil
}

func (s *Settings) trim() {
	for _, field := range []*string{&s.Region, &s.Geography, &s.AccessKeyID, &s.RoleARN, &s.Workspace, &s.Project, &s.Impersonate, &s.Resource, &s.Tenant, &s.Client, &s.Fence, &s.Pool, &s.Guardrail, &s.GuardrailVersion, &s.FederationRule, &s.AnthropicOrg, &s.ServiceAccount} {
		*field = strings.TrimSpace(*field)
	}
}
