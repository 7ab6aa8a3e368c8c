package source

import (
	"context"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// Variable is a key or token in a variable of the environment.
type Variable struct {
	Machine Machine
	Name    string
	Scheme  Scheme
}

// Variables are those that Claude Code reads.
func Variables(m Machine) []Source {
	return []Source{Variable{m, "ANTHROPIC_AUTH_TOKEN", Bearer}, Variable{m, "ANTHROPIC_API_KEY", Header}, Variable{m, "CLAUDE_CODE_OAUTH_TOKEN", Bearer}}
}

// Find looks at the variable.
func (v Variable) Find(context.Context) (About, bool) {
	value := secret.New(v.Machine.Getenv(v.Name))
	if value.Empty() {
		return About{}, false
	}
	about := About{Kind: APIKey, Origin: "the variable " + v.Name, Payer: payer(value, v.Machine.Getenv("ANTHROPIC_BASE_URL")), Expires: ends(value)}
	if !credential.Printable(value) {
		about.Problem = "it is not one word of printable ASCII"
	}
	return about, true
}

// Credential is the value of the variable.
func (v Variable) Credential(ctx context.Context) (Credential, error) {
	about, found := v.Find(ctx)
	if !found {
		return Credential{}, None(v.Name + " is not set")
	}
	return Ready(Credential{About: about, Scheme: v.Scheme, Value: secret.New(v.Machine.Getenv(v.Name))}, v.Machine.Now(), "unset "+v.Name)
}

// ends is when a token says that it ends.
func ends(value secret.Text) time.Time {
	claims, err := credential.ReadClaims(value)
	if err != nil {
		return time.Time{}
	}
	return claims.Expires
}

// payer tells from the form of a credential who is asked to pay.
func payer(value secret.Text, endpoint string) string {
	v := value.Reveal()
	switch {
	case strings.HasPrefix(v, "sk-gate-"):
		return "your organization, through its Gatehouse"
	case strings.HasPrefix(v, "sk-ant-oat"):
		return "the Claude subscription that the token belongs to"
	case secret.Foreign(v):
		return "the Anthropic organization that the key belongs to"
	case endpoint != "":
		return "whoever runs " + Place(endpoint)
	}
	return "whoever the credential belongs to"
}
