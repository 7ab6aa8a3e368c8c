package precedence

import (
	"slices"

	"github.com/gatehouse-dev/gatehouse/internal/claudecode"
)

// Name is one possible source of a credential. Names are only ever added.
type Name string

// The sources.
const (
	Gateway    Name = "gateway-session"
	Bedrock    Name = "bedrock"
	Foundry    Name = "foundry"
	AWS        Name = "anthropic-aws"
	Mantle     Name = "mantle"
	Vertex     Name = "vertex"
	AuthToken  Name = "auth-token"
	APIKey     Name = "api-key"
	Helper     Name = "helper"
	OAuthToken Name = "oauth-token"
	Federation Name = "federation"
	Profile    Name = "profile"
	Login      Name = "login"
	StoredKey  Name = "stored-key"
	Headers    Name = "custom-headers"
)

// Names are all sources, in the order in which people are told.
func Names() []Name {
	return append(append([]Name{Gateway}, providers...),
		AuthToken, APIKey, Helper, OAuthToken, Federation, Profile, Login, StoredKey, Headers)
}

// providers are in the order of claudecode.Providers.
var providers = []Name{Bedrock, Foundry, AWS, Mantle, Vertex}

// provider returns what Claude Code knows of a provider.
func (n Name) provider() (claudecode.Provider, bool) {
	i := slices.Index(providers, n)
	if i < 0 {
		return claudecode.Provider{}, false
	}
	return claudecode.Providers()[i], true
}

var titles = map[Name]string{
	Gateway: "session at a gateway", AuthToken: claudecode.AuthToken, APIKey: claudecode.APIKey, Helper: "apiKeyHelper",
	OAuthToken: claudecode.OAuthToken, Federation: "federation in the environment", Profile: "SDK profile",
	Login: "/login at claude.ai", StoredKey: "key stored by /login", Headers: claudecode.Headers,
}

// Title is the source's name for a person.
func (n Name) Title() string {
	if p, ok := n.provider(); ok {
		return p.Name
	}
	return titles[n]
}
