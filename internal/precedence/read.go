package precedence

import (
	"context"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/claudecode"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/helper"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/source"
	"github.com/gatehouse-dev/gatehouse/internal/source/aws"
	"github.com/gatehouse-dev/gatehouse/internal/source/azure"
	"github.com/gatehouse-dev/gatehouse/internal/source/google"
	"github.com/gatehouse-dev/gatehouse/internal/source/sdk"
)

// reader is one look at a machine.
type reader struct {
	Machine
	layers []layer
	inside source.Machine // as Claude Code sees it, settings included
	state  state
	facts  Facts
}

// Read looks at the machine. It takes what cannot be read for what Claude Code
// takes it for, and notes it.
func Read(ctx context.Context, m Machine) Facts {
	r := reader{Machine: m}
	var notes []Note
	r.layers, notes = m.layers()
	r.inside = m.Machine
	r.inside.Getenv = func(name string) string { return m.effective(r.layers, name).Text }
	dir := r.inside.Getenv(claudecode.ConfigFolder)
	if dir == "" {
		dir = m.At(".claude")
	}
	r.facts, r.state = m.signIns(dir)
	r.facts.Notes = notes
	r.facts.Bare = claudecode.IsOn(r.inside.Getenv(claudecode.Bare))
	r.variables(ctx)
	r.helper()
	r.providers(ctx)
	r.profiles(ctx)
	r.policy(dir)
	if r.facts.Bare {
		for _, n := range []Name{OAuthToken, Federation, Profile, Login, StoredKey} {
			delete(r.facts.Found, n)
		}
	}
	r.fromProject()
	return r.facts
}

func (r *reader) value(name string) Value { return r.effective(r.layers, name) }

func (r *reader) variables(ctx context.Context) {
	names := map[string]Name{claudecode.AuthToken: AuthToken, claudecode.APIKey: APIKey, claudecode.OAuthToken: OAuthToken}
	for _, s := range source.Variables(r.inside) {
		v := s.(source.Variable)
		if about, found := v.Find(ctx); found {
			value := r.value(v.Name)
			src := told(about, value.From())
			src.Identity = person(secret.New(value.Text))
			r.facts.Found[names[v.Name]] = src
		}
	}
	key := r.value(claudecode.APIKey).Text
	r.facts.Rejected = key != "" && slices.Contains(r.state.Responses.Rejected, key[max(0, len(key)-20):])
	r.facts.Base = r.value(claudecode.BaseURL)
	headers := r.value(claudecode.Headers)
	for _, h := range claudecode.ParseHeaders(headers.Text) {
		r.facts.SetsAuthorization = r.facts.SetsAuthorization || h.Name == "authorization"
		r.facts.SetsKey = r.facts.SetsKey || h.Name == "x-api-key"
	}
	if r.facts.SetsAuthorization || r.facts.SetsKey {
		r.facts.Found[Headers] = Source{Where: headers.From(), Payer: "whoever the credential belongs to"}
	}
}

// told is what a source says of itself.
func told(about source.About, where string) Source {
	return Source{Where: where, Until: about.Expires, Problem: about.Problem, Payer: about.Payer}
}

func (r *reader) helper() {
	line, _ := setting(r.layers, string(helper.APIKey))
	if line.Text == "" || r.facts.Bare {
		return
	}
	src := Source{Where: line.File, Payer: "whoever the script's credential belongs to"}
	if r.facts.Base.Text != "" {
		src.Payer = "whoever runs " + source.Place(r.facts.Base.Text)
	}
	if r.Own != nil {
		if own, ok := r.Own(line.Text); ok {
			own.Where = src.Where
			src = own
		}
	}
	r.facts.Found[Helper] = src
}

func (r *reader) providers(ctx context.Context) {
	f := &r.facts
	f.SwitchedOn, f.Unsigned, f.Endpoints = map[Name]Value{}, map[Name]bool{}, map[Name]Value{}
	for _, n := range providers {
		p, _ := n.provider()
		v := r.value(p.Switch)
		if !claudecode.IsOn(v.Text) {
			continue
		}
		f.SwitchedOn[n] = v
		f.Unsigned[n] = claudecode.IsOn(r.inside.Getenv(p.Unsigned))
		if f.Endpoints[n] = r.value(p.Endpoint); f.Endpoints[n].Text == "" {
			f.Endpoints[n] = Value{Text: r.usual(n)}
		}
		if about, found := r.cloud(n).Find(ctx); found {
			f.Found[n] = told(about, about.Origin)
		}
		if export, _ := setting(r.layers, string(helper.AWSExport)); export.Text != "" && (n == Bedrock || n == Mantle) {
			f.Found[n] = Source{Where: export.File, Payer: "the AWS account of what awsCredentialExport prints"}
		}
		for _, key := range p.Keys {
			if v := r.value(key); v.Text != "" && !f.has(n) {
				f.Found[n] = Source{Where: key + " in " + v.From(), Payer: "the account that the key belongs to"}
			}
		}
	}
}

// cloud is where a provider's own credential comes from.
func (r *reader) cloud(n Name) source.Source {
	switch n {
	case Vertex:
		return google.Source{Machine: r.inside}
	case Foundry:
		return azure.Source{Machine: r.inside}
	}
	return aws.Source{Machine: r.inside}
}

// usual is the address of a provider where none is set.
func (r *reader) usual(n Name) string {
	get := func(name, otherwise string) string {
		if v := r.inside.Getenv(name); v != "" {
			return v
		}
		return otherwise
	}
	switch n {
	case Bedrock:
		return "https://bedrock-runtime." + get("AWS_REGION", "us-east-1") + ".amazonaws.com"
	case Mantle:
		return "https://bedrock-mantle." + get("AWS_REGION", "us-east-1") + ".api.aws"
	case AWS:
		return "https://aws-external-anthropic." + get("AWS_REGION", "us-east-1") + ".api.aws"
	case Foundry:
		return "https://" + get("ANTHROPIC_FOUNDRY_RESOURCE", "RESOURCE") + ".services.ai.azure.com"
	}
	switch region := get("CLOUD_ML_REGION", "us-east5"); region {
	case "global":
		return "https://aiplatform.googleapis.com"
	case "us", "eu":
		return "https://aiplatform." + region + ".rep.googleapis.com"
	default:
		return "https://" + region + "-aiplatform.googleapis.com"
	}
}

// profiles looks for what the SDKs find by themselves.
func (r *reader) profiles(ctx context.Context) {
	f := &r.facts
	s, err := sdk.Profile{Machine: r.inside}.Select()
	f.Named, f.Federates, f.ProfileBase = s.Named, s.Federates, s.Base
	switch {
	case err == nil:
		src := told(s.About, s.File)
		src.Identity = person(s.Access)
		if f.Base.Text != "" {
			src.Payer = "whoever runs " + source.Place(f.Base.Text)
		}
		f.Found[Profile] = src
	case s.Named || fault.Is(err, fault.Invalid):
		f.Notes = append(f.Notes, Note{Code: PassedOver, Says: "the SDK profile " + s.Name + " is passed over: " + fault.Message(err), Mend: "unset " + claudecode.ProfileName})
	}
	if s.Named { // then the rest of the environment is not asked
		return
	}
	if about, found := (sdk.Federation{Machine: r.inside}).Find(ctx); found {
		f.Found[Federation] = told(about, r.value(claudecode.Federation).From())
	}
}

// policy reads what managed settings demand.
func (r *reader) policy(dir string) {
	f := &r.facts
	for _, l := range r.layers {
		if l.place != helper.Managed {
			continue
		}
		if l.texts["forceLoginMethod"] != "" {
			f.Forced, f.ForcedIn = "forceLoginMethod", l.file
		}
		if l.orgs != nil {
			f.Forced, f.ForcedIn, f.NoOrgs = "forceLoginOrgUUID", l.file, *l.orgs == 0
		}
		for _, key := range l.other {
			f.Notes = append(f.Notes, Note{Code: NotEvaluated, Says: key + " in " + l.file + " may decide otherwise; it is not evaluated here", Mend: "claude doctor"})
		}
	}
	if remote := filepath.Join(dir, "remote-settings.json"); dir != "" {
		if raw, _, err := r.File(remote); err == nil && len(strings.TrimSpace(string(raw))) > len("{}") {
			f.Notes = append(f.Notes, Note{Code: NotEvaluated, Says: "settings that your organization delivers, kept in " + remote + ", may decide otherwise; they are not evaluated here", Mend: "claude doctor"})
		}
	}
}
