package recipe

import (
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

// Action is a workflow for the GitHub Action of Claude Code.
type Action struct {
	Server string // the origin of our server
	// Secret is the name of the repository's secret that holds an API key.
	// Empty is federation: no secret, GitHub proves who runs.
	Secret string
	// What federation says, each an id or empty: then a variable of the
	// repository of the usual name is read.
	Rule, Organization, ServiceAccount, Workspace string
}

var (
	secretName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Z_][A-Z0-9_]{0,63}$`) })
	anID       = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`) })
)

const actionHead = `# Claude Code in pull requests and issues, through %s.
# %s
name: Claude Code
on:
  issue_comment:
    types: [created]
  pull_request_review_comment:
    types: [created]
permissions:
  contents: write
  issues: write
  pull-requests: write
  id-token: write # the job proves who it is, to GitHub's app and to federation
jobs:
  claude:
    if: contains(github.event.comment.body, '@claude')
    runs-on: ubuntu-latest
    env:
      ANTHROPIC_BASE_URL: %s
    steps:
      - uses: actions/checkout@v4
      - uses: anthropics/claude-code-action@v1
        with:
`

// Workflow is the file, to stand in .github/workflows. It fails with Invalid
// for what is no name and no id.
func (a Action) Workflow() (string, error) {
	if a.Secret != "" {
		if !secretName().MatchString(a.Secret) {
			return "", fault.New(fault.Invalid, "the name of a secret has capitals, digits and _: what is given is not one, and is not repeated, for it may be a key").
				WithHint("gatehouse setup github-action --secret GATEHOUSE_API_KEY")
		}
		return fmt.Sprintf(actionHead, a.Server, "The key is made in the console, and kept as the secret "+a.Secret+" of the repository.", a.Server) +
			"          anthropic_api_key: ${{ secrets." + a.Secret + " }}\n", nil
	}
	var inputs strings.Builder
	for _, i := range [][3]string{
		{"anthropic_federation_rule_id", a.Rule, "ANTHROPIC_FEDERATION_RULE_ID"},
		{"anthropic_organization_id", a.Organization, "ANTHROPIC_ORGANIZATION_ID"},
		{"anthropic_service_account_id", a.ServiceAccount, "ANTHROPIC_SERVICE_ACCOUNT_ID"},
		{"anthropic_workspace_id", a.Workspace, ""},
	} {
		value := i[1]
		switch {
		case value == "" && i[2] == "":
			continue
		case value == "":
			value = "${{ vars." + i[2] + " }}"
		case !anID().MatchString(value) || strings.HasPrefix(value, "sk-"):
			return "", fault.New(fault.Invalid, "%s is an id, and what is given is not one", i[0]).WithHint("gatehouse setup github-action --help")
		}
		fmt.Fprintf(&inputs, "          %s: %s\n", i[0], value)
	}
	return fmt.Sprintf(actionHead, a.Server, "No secret is stored: GitHub proves who runs, and the federation rule says what that may do.", a.Server) + inputs.String(), nil
}

// Languages lists the SDKs that are known.
func Languages() []string { return []string{"python", "typescript", "go"} }

var sdks = map[string]string{
	"python": `# pip install anthropic
# The SDK reads the profile, and renews the sign-in by itself.
#   export ANTHROPIC_PROFILE=%s
import anthropic

client = anthropic.Anthropic()
message = client.messages.create(
    model="claude-haiku-4-5", max_tokens=64,
    messages=[{"role": "user", "content": "Say hello."}],
)
print(message.content[0].text)
`,
	"typescript": `// npm install @anthropic-ai/sdk
// The SDK reads the profile, and renews the sign-in by itself.
//   export ANTHROPIC_PROFILE=%s
import Anthropic from "@anthropic-ai/sdk";

const client = new Anthropic();
const message = await client.messages.create({
  model: "claude-haiku-4-5", max_tokens: 64,
  messages: [{ role: "user", content: "Say hello." }],
});
console.log(message.content);
`,
	"go": `// go get github.com/anthropics/anthropic-sdk-go
// The SDK reads the profile, and renews the sign-in by itself.
//   export ANTHROPIC_PROFILE=%s
package main

import (
	"context"
	"fmt"
	"log"

	"github.com/anthropics/anthropic-sdk-go"
)

func main() {
	client := anthropic.NewClient()
	message, err := client.Messages.New(context.Background(), anthropic.MessageNewParams{
		Model: "claude-haiku-4-5", MaxTokens: 64,
		Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock("Say hello."))},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(message.Content[0].Text)
}
`,
}

// SDK is a program that uses the profile of that name. It fails with Invalid
// for a language that is not known.
func SDK(language, profile string) (string, error) {
	text, ok := sdks[language]
	if !ok {
		return "", fault.New(fault.Invalid, "%q is no SDK that is known, choose %s", language, strings.Join(Languages(), ", ")).
			WithHint("gatehouse setup sdk python")
	}
	return fmt.Sprintf(text, profile), nil
}
