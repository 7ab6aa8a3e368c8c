package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/gatehouse-dev/gatehouse/internal/atomicfile"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/launch"
	"github.com/gatehouse-dev/gatehouse/internal/login"
	"github.com/gatehouse-dev/gatehouse/internal/source/exchange"
	"github.com/spf13/cobra"
)

// way is how a program gets to its models: through our server, or straight to a cloud.
type way interface {
	Set() []launch.Variable
	Unset(system string, environ []string) []string
	Clean(system string, environ []string) (env []string, taken []launch.Taken)
}

// preferred is the value of --direct that names no cloud.
const preferred = "preferred"

func clouds() []string { return []string{login.AWS, login.Google, login.Azure} }

// directFlag adds --direct to a verb, and --direct=CLOUD.
func directFlag(c *cobra.Command, into *string) {
	c.Flags().StringVar(into, "direct", "", "straight to the organization's cloud: aws, gcp or azure, or the preferred one")
	c.Flags().Lookup("direct").NoOptDefVal = preferred
}

// parseDirect reads --direct: "" is the preferred cloud.
func parseDirect(flag, verb string) (string, error) {
	switch {
	case flag == preferred:
		return "", nil
	case !slices.Contains(clouds(), flag):
		return "", &usageError{fmt.Sprintf("%q is no cloud, choose aws, gcp or azure", flag), verb + " --direct=aws"}
	}
	return flag, nil
}

// leads are what switches Claude Code to a cloud. None is secret.
func leads(c login.Cloud) ([]launch.Variable, error) {
	switch c.Cloud {
	case login.AWS:
		return []launch.Variable{{Name: "CLAUDE_CODE_USE_BEDROCK", Value: "1"}, {Name: "AWS_REGION", Value: c.Region}}, nil
	case login.Google:
		return []launch.Variable{{Name: "CLAUDE_CODE_USE_VERTEX", Value: "1"}, {Name: "CLOUD_ML_REGION", Value: c.Region}, {Name: "ANTHROPIC_VERTEX_PROJECT_ID", Value: c.Project},
			// Otherwise Google's library asks for the name of the pool's project, which needs one right more.
			{Name: "GOOGLE_CLOUD_PROJECT", Value: c.Project}}, nil
	case login.Azure:
		return []launch.Variable{{Name: "CLAUDE_CODE_USE_FOUNDRY", Value: "1"}, {Name: "ANTHROPIC_FOUNDRY_RESOURCE", Value: c.Resource}}, nil
	}
	return nil, &noMeans{"this version does not know the cloud that the server names", "gatehouse version"}
}

// straight is the way to a cloud. With it go the files by which the clouds' own
// libraries ask us for credentials; nothing in them is secret.
func (m *Main) straight(ctx context.Context, name string) (launch.Direct, login.Cloud, error) {
	d, err := m.desk(ctx)
	if err != nil {
		return launch.Direct{}, login.Cloud{}, err
	}
	cloud, err := d.cloud(ctx, name)
	if err != nil {
		return launch.Direct{}, login.Cloud{}, err
	}
	set, err := leads(cloud)
	if err != nil {
		return launch.Direct{}, login.Cloud{}, err
	}
	asks, err := m.askUs(cloud)
	return launch.Direct{Variables: append(set, asks...)}, cloud, err
}

// askUs makes a cloud's libraries ask this program. Azure's know no program to ask.
func (m *Main) askUs(c login.Cloud) ([]launch.Variable, error) {
	switch c.Cloud {
	case login.AWS:
		path, err := m.awsFile(c)
		return []launch.Variable{{Name: "AWS_CONFIG_FILE", Value: path}, {Name: "AWS_PROFILE", Value: awsProfile}}, err
	case login.Google:
		path, err := m.googleFileOf(c)
		return []launch.Variable{{Name: "GOOGLE_APPLICATION_CREDENTIALS", Value: path}, {Name: "GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", Value: "1"}}, err
	}
	return nil, nil
}

// awsProfile is the profile's name in a file of ours. A profile "default" of the
// person's credentials file would be preferred to it.
const awsProfile = "gatehouse"

func (m *Main) awsFile(c login.Cloud) (string, error) {
	command, err := m.ourself("credential aws")
	if err != nil {
		return "", err
	}
	text := "[profile " + awsProfile + "]\nregion = " + c.Region + "\ncredential_process = " + command + "\n"
	return m.lay("aws-config", []byte(text))
}

func (m *Main) googleFileOf(c login.Cloud) (string, error) {
	command, err := m.ourself("credential gcp")
	if err != nil {
		return "", err
	}
	text, err := exchange.ExternalAccount(m.machine(), c, command)
	if err != nil {
		return "", err
	}
	return m.lay("gcp.json", text)
}

// lay writes a file for other programs beside what is remembered of the sign-in.
func (m *Main) lay(name string, text []byte) (string, error) {
	at, err := m.places()
	if err != nil {
		return "", err
	}
	path := filepath.Join(at.memory.Dir, "direct", at.profile.SDKName(), name)
	if err := atomicfile.Replace(path, text, atomicfile.SecretDir, atomicfile.SecretFile); err != nil {
		return "", fault.Wrap(fault.Unavailable, err, "the file for "+name+" cannot be written: "+oneLine(err.Error()))
	}
	return path, nil
}

// envDirect is the way that "env" prints.
func (m *Main) envDirect(ctx context.Context, flag string) (way, error) {
	name, err := parseDirect(flag, "gatehouse env")
	if err != nil {
		return nil, err
	}
	d, cloud, err := m.straight(ctx, name)
	if err == nil && cloud.Cloud == login.Azure {
		m.say(`gatehouse: warning: Azure's libraries know no program to ask; also run: export ANTHROPIC_FOUNDRY_AUTH_TOKEN="$(gatehouse credential azure)"`)
	}
	return d, err
}

// runDirect is the way of a program that "run" starts. For Azure it carries a token,
// which ends with the hour that Entra gives it.
func (m *Main) runDirect(ctx context.Context, flag string) (way, error) {
	name, err := parseDirect(flag, "gatehouse run")
	if err != nil {
		return nil, err
	}
	d, cloud, err := m.straight(ctx, name)
	if err != nil || cloud.Cloud != login.Azure {
		return d, err
	}
	c, err := m.cloudCredential(ctx, login.Azure)
	d.Variables = append(d.Variables, launch.Variable{Name: "ANTHROPIC_FOUNDRY_AUTH_TOKEN", Value: c.Value.Reveal()})
	return d, err
}
