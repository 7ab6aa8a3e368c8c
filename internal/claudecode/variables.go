package claudecode

import (
	"slices"
	"strings"
)

// The variables by which Claude Code is handed a credential, or a place to send
// it to.
const (
	AuthToken    = "ANTHROPIC_AUTH_TOKEN"
	APIKey       = "ANTHROPIC_API_KEY"
	OAuthToken   = "CLAUDE_CODE_OAUTH_TOKEN"
	BaseURL      = "ANTHROPIC_BASE_URL"
	Headers      = "ANTHROPIC_CUSTOM_HEADERS"
	ProfileName  = "ANTHROPIC_PROFILE"
	Federation   = "ANTHROPIC_FEDERATION_RULE_ID"
	Organization = "ANTHROPIC_ORGANIZATION_ID"
	Bare         = "CLAUDE_CODE_SIMPLE"                   // like --bare: no sign-in is read
	Hosted       = "CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST" // settings name neither provider nor credential
	ConfigFolder = "CLAUDE_CONFIG_DIR"
)

// Provider is one that Claude Code can be switched to.
type Provider struct {
	Name     string   // for a person
	Switch   string   // the variable that switches to it
	Endpoint string   // the variable with another address for it
	Unsigned string   // the switch that leaves the provider's own credential out
	Keys     []string // variables with a credential for it, the one that is taken first, first
}

// Providers are all of them. Of several that are switched on, the first is used.
func Providers() []Provider {
	return []Provider{
		{"Amazon Bedrock", "CLAUDE_CODE_USE_BEDROCK", "ANTHROPIC_BEDROCK_BASE_URL", "CLAUDE_CODE_SKIP_BEDROCK_AUTH", []string{"AWS_BEARER_TOKEN_BEDROCK"}},
		{"Microsoft Foundry", "CLAUDE_CODE_USE_FOUNDRY", "ANTHROPIC_FOUNDRY_BASE_URL", "CLAUDE_CODE_SKIP_FOUNDRY_AUTH", []string{"ANTHROPIC_FOUNDRY_AUTH_TOKEN", "ANTHROPIC_FOUNDRY_API_KEY"}},
		{"Claude Platform on AWS", "CLAUDE_CODE_USE_ANTHROPIC_AWS", "ANTHROPIC_AWS_BASE_URL", "CLAUDE_CODE_SKIP_ANTHROPIC_AWS_AUTH", []string{"ANTHROPIC_AWS_API_KEY"}},
		{"Amazon Bedrock (Mantle)", "CLAUDE_CODE_USE_MANTLE", "ANTHROPIC_BEDROCK_MANTLE_BASE_URL", "CLAUDE_CODE_SKIP_MANTLE_AUTH", []string{"AWS_BEARER_TOKEN_BEDROCK"}},
		{"Google Cloud", "CLAUDE_CODE_USE_VERTEX", "ANTHROPIC_VERTEX_BASE_URL", "CLAUDE_CODE_SKIP_VERTEX_AUTH", nil},
	}
}

// Role is what a variable does to the choice of a credential.
type Role int

// The roles.
const (
	Switches   Role = iota // to another provider
	Credential             // is one, and is used before a sign-in
	SignsIn                // in another way
	ProvidersKey
)

// Competitor is a variable that takes the place of a sign-in whatever its value.
type Competitor struct {
	Name string
	Role Role
}

// Competitors are all of them, in the order in which Claude Code looks at them.
func Competitors() []Competitor {
	var list []Competitor
	for _, p := range Providers() {
		list = append(list, Competitor{p.Switch, Switches})
	}
	for _, name := range []string{AuthToken, APIKey, OAuthToken} {
		list = append(list, Competitor{name, Credential})
	}
	for _, name := range []string{Federation, "ANTHROPIC_IDENTITY_TOKEN", "ANTHROPIC_IDENTITY_TOKEN_FILE"} {
		list = append(list, Competitor{name, SignsIn})
	}
	for _, p := range Providers() {
		for _, name := range p.Keys {
			if key := (Competitor{name, ProvidersKey}); !slices.Contains(list, key) {
				list = append(list, key)
			}
		}
	}
	return list
}

// IsOn says whether the value of a switch counts as on: 1, true, yes or on, in
// capital or small letters.
func IsOn(value string) bool {
	switch strings.ToLower(strings.TrimSpace(value)) {
	case "1", "true", "yes", "on":
		return true
	}
	return false
}

// IsSet says whether a variable counts: a switch (CLAUDE_CODE_USE_…) only when
// it is on, everything else when it is not empty.
func IsSet(name, value string) bool {
	if strings.HasPrefix(name, "CLAUDE_CODE_USE_") {
		return IsOn(value)
	}
	return value != ""
}

// Header is one line of ANTHROPIC_CUSTOM_HEADERS.
type Header struct{ Name, Value string }

// ParseHeaders reads ANTHROPIC_CUSTOM_HEADERS: "Name: value" lines, parted by
// newlines or by the two characters that stand for one in JSON. Names are in
// small letters. Lines without a colon count as none.
func ParseHeaders(value string) []Header {
	var list []Header
	for line := range strings.SplitSeq(strings.NewReplacer(`\n`, "\n", "\r", "\n").Replace(value), "\n") {
		if name, text, ok := strings.Cut(line, ":"); ok {
			list = append(list, Header{strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(text)})
		}
	}
	return list
}
