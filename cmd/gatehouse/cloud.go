package main

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/atomicfile"
	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/login"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/source"
	"github.com/gatehouse-dev/gatehouse/internal/source/aws"
	"github.com/gatehouse-dev/gatehouse/internal/source/exchange"
	"github.com/spf13/cobra"
)

const aboutClouds = `
The cloud trusts the server's word for who the member is; what the cloud gives
ends within hours, and is kept in memory alone (XDG_RUNTIME_DIR), where there is
such a place, until shortly before. Exit code 3 when somebody must sign in, 5 if
the organization gives no way into that cloud.`

// forms are how a cloud's credential is printed; the first is the usual one.
type forms struct {
	names []string
	print func(ctx context.Context, form string) error
}

func (m *Main) cloudVerb(cloud, short, long string, f forms) *cobra.Command {
	form := f.names[0]
	c := m.withProfile(m.verb(cloud, short, long+aboutClouds, func(ctx context.Context) error {
		if !slices.Contains(f.names, form) {
			return &usageError{fmt.Sprintf("%q is no format, choose one of %s", form, strings.Join(f.names, ", ")), "gatehouse credential " + cloud + " --format " + f.names[0]}
		}
		return f.print(ctx, form)
	}))
	c.Flags().StringVar(&form, "format", form, "how: "+strings.Join(f.names, ", "))
	return c
}

func (m *Main) awsVerb() *cobra.Command {
	return m.cloudVerb(login.AWS, "Turn the sign-in into keys of AWS", `  process  as a credential_process of AWS's own tools and SDKs prints them
  export   as awsCredentialExport of Claude Code prints them
`, forms{[]string{"process", "export"}, func(ctx context.Context, form string) error {
		c, err := m.cloudCredential(ctx, login.AWS)
		if err != nil {
			return err
		}
		if form == "export" {
			return m.printSecret(aws.Export(c))
		}
		return m.printSecret(aws.Process(c))
	}})
}

func (m *Main) gcpVerb() *cobra.Command {
	return m.cloudVerb(login.Google, "Turn the sign-in into a credential of Google Cloud", `  executable  the identity token, as an executable-sourced external_account expects
              it; what fails is said in that form too, with exit code 0, because
              Google's libraries read it then alone
  token       one line: an access token of Google
  config      the external_account file itself, without a secret, for
              GOOGLE_APPLICATION_CREDENTIALS
`, forms{[]string{"executable", "token", "config"}, func(ctx context.Context, form string) error {
		switch form {
		case "executable":
			token, err := m.cloudIdentity(ctx, login.Google)
			return m.printSecret(exchange.Executable(token, err))
		case "config":
			return m.googleConfig(ctx)
		}
		return m.cloudToken(ctx, login.Google)
	}})
}

func (m *Main) azureVerb() *cobra.Command {
	return m.cloudVerb(login.Azure, "Turn the sign-in into a credential of Microsoft Foundry", `  token      one line: an access token of Entra for Foundry
  assertion  one line: the identity token that Entra trusts, for the file that
             AZURE_FEDERATED_TOKEN_FILE names
`, forms{[]string{"token", "assertion"}, func(ctx context.Context, form string) error {
		if form == "assertion" {
			token, err := m.cloudIdentity(ctx, login.Azure)
			if err != nil {
				return err
			}
			return m.printSecret([]byte(token.Token.Reveal()), nil)
		}
		return m.cloudToken(ctx, login.Azure)
	}})
}

func (m *Main) cloudToken(ctx context.Context, cloud string) error {
	c, err := m.cloudCredential(ctx, cloud)
	if err != nil {
		return err
	}
	return m.printSecret([]byte(c.Value.Reveal()), nil)
}

func (m *Main) googleConfig(ctx context.Context) error {
	d, err := m.desk(ctx)
	if err != nil {
		return err
	}
	cloud, err := d.cloud(ctx, login.Google)
	if err != nil {
		return err
	}
	command, err := m.ourself("credential gcp")
	if err != nil {
		return err
	}
	b, err := exchange.ExternalAccount(m.machine(), cloud, command)
	return m.printSecret(bytes.TrimSpace(b), err)
}

// desk is where a sign-in becomes something that a cloud takes.
type desk struct {
	client *login.Client
	access secret.Text
	of     string // whose sign-in it is, at which server
}

func (m *Main) desk(ctx context.Context) (desk, error) {
	pair, err := m.freshPair(ctx)
	if err != nil {
		return desk{}, err
	}
	claims, err := credential.ReadClaims(pair.Access)
	if err != nil {
		return desk{}, err
	}
	client, err := m.deskClient(ctx, claims.Issuer)
	return desk{client, pair.Access, strings.Join([]string{claims.Issuer, claims.Organization, claims.Subject}, " ")}, err
}

// deskClient is for the server that gave a token out. An agent may have another
// machine's sign-in: then the server is asked where its endpoints are.
func (m *Main) deskClient(ctx context.Context, issuer string) (*login.Client, error) {
	at, err := m.places()
	if err != nil {
		return nil, err
	}
	if at.recall == nil && m.Getenv(agentSocket) == "" {
		return m.clientOf(at.known), nil
	}
	client := m.client(login.Server{}, "")
	client.Server, err = client.Discover(ctx, issuer)
	return client, err
}

// cloud is the one of a name that the member may reach; "" is the preferred one.
func (d desk) cloud(ctx context.Context, name string) (login.Cloud, error) {
	all, err := d.client.Clouds(ctx, d.access)
	if fault.Is(err, fault.Unsupported) {
		return login.Cloud{}, &noMeans{fault.Message(err), "gatehouse version"}
	}
	if err != nil {
		return login.Cloud{}, err
	}
	for _, c := range all {
		if c.Cloud == name || name == "" {
			return c, nil
		}
	}
	if name == "" {
		return login.Cloud{}, &noMeans{"your organization gives no way straight into a cloud: requests go through " + d.client.Server.Origin, "gatehouse setup claude-code"}
	}
	return login.Cloud{}, &noMeans{fmt.Sprintf("your organization gives you no way straight into %s", name), "gatehouse status"}
}

func (d desk) identity(ctx context.Context, audience string) (login.Identity, error) {
	return d.client.Identity(ctx, d.access, audience)
}

func (m *Main) cloudIdentity(ctx context.Context, name string) (login.Identity, error) {
	d, err := m.desk(ctx)
	if err != nil {
		return login.Identity{}, err
	}
	cloud, err := d.cloud(ctx, name)
	if err != nil {
		return login.Identity{}, err
	}
	return d.identity(ctx, cloud.Audience)
}

// cloudCredential is what is kept, or a new one. The sign-in is asked for first:
// where it has ended, what is kept is not handed out either.
func (m *Main) cloudCredential(ctx context.Context, name string) (source.Credential, error) {
	d, err := m.desk(ctx)
	if err != nil {
		return source.Credential{}, err
	}
	kept, keeps := m.kept(d.of, name)
	if keeps {
		if c, found := kept.Load(); found {
			return c, nil
		}
	}
	cloud, err := d.cloud(ctx, name)
	if err != nil {
		return source.Credential{}, err
	}
	c, err := exchange.Source{Machine: m.machine(), Cloud: cloud, Identity: d.identity}.Credential(ctx)
	if err == nil && keeps {
		if unkept := kept.Save(c); unkept != nil {
			m.say("gatehouse: warning: the credential is not kept for the next program: %s", printable(oneLine(message(unkept))))
		}
	}
	return c, err
}

// kept is where a cloud's credential waits. No disk is such a place.
func (m *Main) kept(of, cloud string) (k exchange.Kept, keeps bool) {
	p, err := m.profile()
	path := m.keptAt(p, cloud)
	return exchange.Kept{Path: path, Of: of, Now: m.Now}, err == nil && path != ""
}

func (m *Main) keptAt(p credential.Profile, cloud string) string {
	dir := m.sessionDir()
	if dir == "" {
		return ""
	}
	return filepath.Join(dir, "cloud-"+cloud+"-"+p.SDKName()+".json")
}

// dropKept is for a sign-in that ends.
func (m *Main) dropKept(p credential.Profile) error {
	for _, cloud := range []string{login.AWS, login.Google, login.Azure} {
		if path := m.keptAt(p, cloud); path != "" {
			if err := atomicfile.Remove(path); err != nil {
				return err
			}
		}
	}
	return nil
}

// ourself is a command of this program for files that other programs read: they
// know blanks and double quotes, and no shell.
func (m *Main) ourself(verb string) (string, error) {
	self, err := m.Executable()
	if err != nil {
		return "", fmt.Errorf("finding this program: %w", err)
	}
	p, err := m.profile()
	if err != nil {
		return "", err
	}
	if strings.ContainsAny(self, " \t") {
		self = `"` + self + `"`
	}
	return self + " " + verb + p.Flag(), nil
}
