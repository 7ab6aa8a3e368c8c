package google

import (
	"context"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/source"
)

const (
	scope     = "https://www.googleapis.com/auth/cloud-platform"
	variable  = "GOOGLE_APPLICATION_CREDENTIALS"
	mend      = "gcloud auth application-default login"
	toolLimit = 30 * time.Second
)

// Source is the credential for Google Cloud. Machine is required.
type Source struct {
	Machine source.Machine
	// Token and Metadata are Google's token endpoint and metadata service; empty
	// are the real ones.
	Token, Metadata string
}

var _ source.Source = Source{}

// SignIn is the command of Google that signs a person in again.
func (s Source) SignIn() []string { return strings.Fields(mend) }

// Find looks for a credentials file, then for gcloud.
func (s Source) Find(context.Context) (source.About, bool) {
	path, named := s.path()
	_, about, err := s.read(path)
	switch {
	case err == nil:
		return about, true
	case named || !fault.Is(err, fault.NotFound):
		about.Problem = fault.Message(err)
		return about, true
	case s.signedIn():
		return s.aboutTool(""), true
	}
	return source.About{}, false
}

// Credential is an access token for Google Cloud.
func (s Source) Credential(ctx context.Context) (source.Credential, error) {
	c, err := s.credential(ctx)
	if err != nil {
		return source.Credential{}, err
	}
	return source.Ready(c, s.Machine.Now(), mend)
}

func (s Source) credential(ctx context.Context) (source.Credential, error) {
	path, named := s.path()
	f, about, err := s.read(path)
	switch {
	case err == nil:
		return s.fromFile(ctx, f, about)
	case named || !fault.Is(err, fault.NotFound):
		return source.Credential{}, err
	case s.signedIn():
		return s.tool(ctx, s.aboutTool(""), "gcloud", "auth", "print-access-token")
	}
	return s.metadata(ctx)
}

// path is the file to read, and whether the environment names it.
func (s Source) path() (path string, named bool) {
	if p := s.Machine.Getenv(variable); p != "" {
		return p, true
	}
	if dir := s.config(); dir != "" {
		return filepath.Join(dir, "application_default_credentials.json"), false
	}
	return "", false
}

// config is the folder of gcloud.
func (s Source) config() string {
	get := s.Machine.Getenv
	switch {
	case get("CLOUDSDK_CONFIG") != "":
		return get("CLOUDSDK_CONFIG")
	case s.Machine.System == "windows" && get("APPDATA") != "":
		return filepath.Join(get("APPDATA"), "gcloud")
	}
	return s.Machine.At(".config", "gcloud")
}

// signedIn reports whether gcloud is here and has accounts.
func (s Source) signedIn() bool {
	dir := s.config()
	if dir == "" || !s.Machine.Has("gcloud") {
		return false
	}
	_, _, err := s.Machine.File(filepath.Join(dir, "credentials.db"))
	return err == nil || !fault.Is(err, fault.NotFound)
}

func (s Source) read(path string) (file, source.About, error) {
	about := source.About{Kind: source.Google, Origin: path, Payer: s.payer(file{})}
	if path == "" {
		return file{}, about, source.None("there is no folder of gcloud")
	}
	raw, open, err := s.Machine.File(path)
	if err != nil {
		return file{}, about, err
	}
	f, err := parseFile(raw)
	if err != nil {
		return file{}, about, fault.New(fault.Invalid, "%s cannot be used, because %w", path, err).WithHint(mend)
	}
	about.Payer = s.payer(f)
	if f.Type == service {
		about.Origin += " (a service account)"
	}
	if open {
		about.Problem = source.OpenToOthers(path)
	}
	return f, about, nil
}

// payer is the project, by the variables that Claude Code looks at, in its order.
func (s Source) payer(f file) string {
	for _, name := range []string{"GCLOUD_PROJECT", "GOOGLE_CLOUD_PROJECT"} {
		if p := s.Machine.Getenv(name); p != "" {
			return "the Google Cloud project " + p
		}
	}
	for _, p := range []string{f.ProjectID, s.Machine.Getenv("ANTHROPIC_VERTEX_PROJECT_ID"), f.QuotaProject} {
		if p != "" {
			return "the Google Cloud project " + p
		}
	}
	return "the Google Cloud project that is chosen when it is used"
}

func (s Source) fromFile(ctx context.Context, f file, about source.About) (source.Credential, error) {
	switch f.Type {
	case person:
		return s.trade(ctx, about, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {f.RefreshToken},
			"client_id": {f.ClientID}, "client_secret": {f.ClientSecret}})
	case service:
		assertion, err := f.assertion(s.token(), s.Machine.Now())
		if err != nil {
			return source.Credential{}, fault.New(fault.Invalid, "%s cannot be used, because %w", about.Origin, err).WithHint(mend)
		}
		return s.trade(ctx, about, url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {assertion.Reveal()}})
	}
	if !s.Machine.Has("gcloud") {
		return source.Credential{}, fault.New(fault.Unsupported, "%s is of a form that only gcloud can use, which is not installed", about.Origin).
			WithHint(mend)
	}
	return s.tool(ctx, about, "gcloud", "auth", "application-default", "print-access-token")
}

func (s Source) token() string {
	if s.Token != "" {
		return s.Token
	}
	return "https://oauth2.googleapis.com/token"
}

func (s Source) trade(ctx context.Context, about source.About, form url.Values) (source.Credential, error) {
	answer, err := s.Machine.Fetch(ctx, source.Request{URL: s.token(), Form: form})
	if err != nil {
		return source.Credential{}, err
	}
	return s.answer(about, answer)
}

func (s Source) answer(about source.About, a source.Answer) (source.Credential, error) {
	var w struct {
		AccessToken string  `json:"access_token"`
		ExpiresIn   float64 `json:"expires_in"`
	}
	if err := a.Decode(&w, mend); err != nil {
		return source.Credential{}, err
	}
	about.Expires = s.Machine.After(w.ExpiresIn)
	if w.AccessToken == "" || about.Expires.IsZero() {
		return source.Credential{}, fault.New(fault.Unavailable, "Google gave an answer without a token or without its end")
	}
	return source.Credential{About: about, Scheme: source.Bearer, Value: secret.New(w.AccessToken)}, nil
}

func (s Source) aboutTool(origin string) source.About {
	if origin == "" {
		origin = "gcloud auth print-access-token"
	}
	return source.About{Kind: source.Google, Origin: origin, Payer: s.payer(file{})}
}

// tool asks gcloud, which prints the token and not when it ends.
func (s Source) tool(ctx context.Context, about source.About, argv ...string) (source.Credential, error) {
	out, err := s.Machine.Command(ctx, toolLimit, mend, argv...)
	if err != nil {
		return source.Credential{}, err
	}
	return source.Credential{About: about, Scheme: source.Bearer, Value: secret.New(strings.TrimSpace(out.Reveal()))}, nil
}

// metadata asks the metadata service of Google's machines. Where nothing answers
// there is none.
func (s Source) metadata(ctx context.Context) (source.Credential, error) {
	base := s.Metadata
	if base == "" {
		host := s.Machine.Getenv("GCE_METADATA_HOST")
		if host == "" {
			host = "169.254.169.254"
		}
		base = "http://" + host
	}
	answer, err := s.Machine.Fetch(ctx, source.Request{URL: base + "/computeMetadata/v1/instance/service-accounts/default/token",
		Header: map[string]string{"Metadata-Flavor": "Google"}, Metadata: true})
	if fault.Is(err, fault.Unavailable) || fault.Is(err, fault.Timeout) {
		return source.Credential{}, source.None("there is no credential for Google Cloud")
	}
	if err != nil {
		return source.Credential{}, err
	}
	return s.answer(source.About{Kind: source.Google, Origin: "the metadata service of this machine", Payer: s.payer(file{})}, answer)
}
