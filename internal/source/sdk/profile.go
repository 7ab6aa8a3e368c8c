package sdk

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/atomicfile"
	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/sdkprofile"
	"github.com/gatehouse-dev/gatehouse/internal/source"
)

// Profile is the SDK profile that is in use. Machine is required.
type Profile struct{ Machine source.Machine }

var _ source.Source = Profile{}

// config is configs/NAME.json as far as it is needed here.
type config struct {
	Authentication struct {
		Type             string `json:"type"`
		CredentialsPath  string `json:"credentials_path"`
		FederationRuleID string `json:"federation_rule_id"`
		ServiceAccountID string `json:"service_account_id"`
		IdentityToken    struct {
			Source string `json:"source"`
			Path   string `json:"path"`
		} `json:"identity_token"`
	} `json:"authentication"`
	BaseURL        string `json:"base_url"`
	OrganizationID string `json:"organization_id"`
	WorkspaceID    string `json:"workspace_id"`
}

const (
	userOAuth  = "user_oauth"
	federation = "oidc_federation"
)

// parseConfig reads a profile. It fails with Invalid.
func parseConfig(raw []byte) (config, error) {
	var c config
	switch {
	case json.Unmarshal(raw, &c) != nil:
		return config{}, fault.New(fault.Invalid, "it is not the JSON object that it should be")
	case c.Authentication.Type != userOAuth && c.Authentication.Type != federation:
		return config{}, fault.New(fault.Invalid, "it signs in by no way that is known here")
	}
	return c, nil
}

// loaded is a profile with its place.
type loaded struct {
	config
	name, dir, path string
}

// load finds the profile as the SDKs do: ANTHROPIC_PROFILE, then active_config,
// then "default".
func (p Profile) load() (loaded, error) {
	dir, err := sdkprofile.Find(p.Machine.System, p.Machine.Home, p.Machine.Getenv)
	if err != nil {
		return loaded{}, source.None("there is no folder of SDK profiles")
	}
	l := loaded{dir: string(dir), name: p.Machine.Getenv("ANTHROPIC_PROFILE")}
	named := l.name != ""
	if !named {
		raw, _, err := p.Machine.File(filepath.Join(l.dir, "active_config"))
		if l.name = strings.TrimSpace(string(raw)); err != nil || l.name == "" {
			l.name = "default"
		}
	}
	if _, err := credential.ParseProfile(l.name); err != nil {
		return l, fault.New(fault.Invalid, "the name of the SDK profile cannot be used").WithHint("unset ANTHROPIC_PROFILE")
	}
	l.path = filepath.Join(l.dir, "configs", l.name+".json")
	raw, _, err := p.Machine.File(l.path)
	if err == nil {
		l.config, err = parseConfig(raw)
	}
	if fault.Is(err, fault.Invalid) || named && err != nil {
		return l, fault.New(fault.Invalid, "the SDK profile %s cannot be used, because %w", l.name, err).WithHint("unset ANTHROPIC_PROFILE")
	}
	return l, err
}

// Find reads the profile and, of a person's, the credentials file.
func (p Profile) Find(context.Context) (source.About, bool) {
	l, err := p.load()
	if err != nil {
		return source.About{Kind: source.SDKProfile, Origin: l.origin(), Payer: "whoever the profile belongs to", Problem: fault.Message(err)}, !fault.Is(err, fault.NotFound)
	}
	about := l.about()
	if l.Authentication.Type == userOAuth {
		pair, err := l.pair()
		about.Expires = pair.Expires
		if err != nil {
			about.Problem = fault.Message(err)
		}
	}
	return about, true
}

// Credential is the profile's access token, or the one that its identity token
// is exchanged for.
func (p Profile) Credential(ctx context.Context) (source.Credential, error) {
	l, err := p.load()
	if err != nil {
		return source.Credential{}, err
	}
	if l.Authentication.Type == federation {
		return l.rule().exchange(ctx, p.Machine)
	}
	pair, err := l.pair()
	if err != nil {
		return source.Credential{}, err
	}
	about := l.about()
	about.Expires = pair.Expires
	return source.Ready(source.Credential{About: about, Scheme: source.Bearer, Value: pair.Access}, p.Machine.Now(), mendProfile)
}

const mendProfile = "claude auth login"

func (l loaded) origin() string { return "the SDK profile " + l.name }

func (l loaded) about() source.About {
	if l.Authentication.Type == federation {
		about := l.rule().about()
		return about
	}
	payer := "the organization"
	if l.OrganizationID != "" {
		payer += " " + l.OrganizationID
	}
	return source.About{Kind: source.SDKProfile, Origin: l.origin() + " (" + l.path + ")", Payer: payer + ", through " + source.Place(l.rule().endpoint())}
}

func (l loaded) rule() rule {
	a := l.Authentication
	r := rule{origin: l.origin(), base: l.BaseURL, rule: a.FederationRuleID, organization: l.OrganizationID,
		serviceAccount: a.ServiceAccountID, workspace: l.WorkspaceID}
	if a.IdentityToken.Source == "" || a.IdentityToken.Source == "file" {
		r.tokenFile = a.IdentityToken.Path
	}
	return r
}

// pair reads the credentials file, which the SDKs refuse unless it is private.
func (l loaded) pair() (credential.Pair, error) {
	path := l.Authentication.CredentialsPath
	if path == "" {
		path = filepath.Join(l.dir, "credentials", l.name+".json")
	}
	raw, err := atomicfile.ReadPrivate(path, credential.MaxEncoded)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return credential.Pair{}, fault.Wrap(fault.Unauthenticated, err, "nobody is signed in with "+l.origin()).WithHint(mendProfile)
	case err != nil:
		if unsafe, ok := errors.AsType[*atomicfile.UnsafeError](err); ok {
			return credential.Pair{}, fault.New(fault.Invalid, "%w", unsafe).WithHint(unsafe.Mend)
		}
		return credential.Pair{}, fault.Wrap(fault.Invalid, err, path+" cannot be read")
	}
	pair, err := credential.Decode(raw)
	if err != nil {
		return credential.Pair{}, fault.New(fault.Invalid, "%s cannot be used, because %w", path, err).WithHint(mendProfile)
	}
	return pair, nil
}
