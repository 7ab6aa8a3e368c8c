package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/launch"
	"github.com/spf13/cobra"
)

func (m *Main) envVerb() *cobra.Command {
	var direct string
	format := string(launch.Shell)
	if m.System == "windows" {
		format = string(launch.PowerShell)
	}
	c := m.withProfile(m.verb("env", "Print the variables with which programs use the sign-in",
		`ANTHROPIC_PROFILE, and ANTHROPIC_CONFIG_DIR if it is set here. No secret is
printed: programs read the credential from the SDK profile.

  shell       eval "$(gatehouse env)"
  fish        gatehouse env --format fish | source
  powershell  gatehouse env --format powershell | Out-String | Invoke-Expression
  dotenv      gatehouse env --format dotenv >> .env
  github      gatehouse env --format github >> "$GITHUB_ENV"
  json        {"set": {NAME: value}, "unset": [NAME]}

Shells are also told to forget what would be used instead of the sign-in. A .env
file and GitHub Actions cannot forget: what competes is said on standard error.

With --direct the variables lead straight to the cloud provider that the
organization lets its members reach: Amazon Bedrock, Google Cloud or Microsoft
Foundry. Its libraries ask "gatehouse credential" by way of files that are written
beside the sign-in and hold no secret.

Exit code 3 if nobody is signed in.`, func(ctx context.Context) error { return m.env(ctx, launch.Format(format), direct) }))
	directFlag(c, &direct)
	c.Flags().StringVar(&format, "format", format, "how: "+formatNames())
	return c
}

func formatNames() string {
	var names []string
	for _, f := range launch.Formats() {
		names = append(names, string(f))
	}
	return strings.Join(names, ", ")
}

func (m *Main) env(ctx context.Context, format launch.Format, direct string) error {
	if !slices.Contains(launch.Formats(), format) {
		return &usageError{fmt.Sprintf("%q is no format, choose one of %s", string(format), formatNames()), "gatehouse env --format shell"}
	}
	door, err := m.envWay(ctx, direct)
	if err != nil {
		return err
	}
	environ := m.Environ()
	text, err := format.Render(door.Set(), door.Unset(m.System, environ))
	if err != nil {
		return err
	}
	if !format.Unsets() {
		_, taken := door.Clean(m.System, environ)
		for _, t := range taken {
			if t.Name != "ANTHROPIC_PROFILE" {
				m.say("gatehouse: warning: %s is set here and cannot be taken away in the format %s: %s", t.Name, format, t.Why)
			}
		}
	}
	if _, err := fmt.Fprint(m.Stdout, text); err != nil {
		return fmt.Errorf("printing the variables: %w", err)
	}
	return nil
}

// envWay is the way that the variables open.
func (m *Main) envWay(ctx context.Context, direct string) (way, error) {
	if direct != "" {
		return m.envDirect(ctx, direct)
	}
	return m.launchDoor(ctx, "gatehouse setup claude-code --door helper")
}
