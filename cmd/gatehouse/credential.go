package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/source"
	"github.com/gatehouse-dev/gatehouse/internal/source/aws"
	"github.com/spf13/cobra"
)

func (m *Main) credentialVerb() *cobra.Command {
	c := &cobra.Command{Use: "credential", Short: "Print credentials in the forms that Claude Code's settings expect",
		Long: `Print credentials in the forms that Claude Code's settings expect.

Each of these can stand in a settings file:

  apiKeyHelper         gatehouse credential api-key       (or: gatehouse token)
  otelHeadersHelper    gatehouse credential otel-headers
  awsCredentialExport  gatehouse credential aws-export
  awsAuthRefresh       gatehouse credential aws-refresh
  gcpAuthRefresh       gatehouse credential gcp-refresh
  policyHelper         gatehouse credential policy

Where the organization sends requests straight to a cloud, the sign-in becomes a
short-lived credential of that cloud:

  awsCredentialExport  gatehouse credential aws --format export
  credential_process   gatehouse credential aws
  external_account     gatehouse credential gcp
  a bearer token       gatehouse credential azure

"gatehouse credential list" shows every credential of this machine, and no value.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return errors.New("say which credential is wanted") }}
	c.AddCommand(m.credentialListVerb(),
		m.withProfile(m.verb("api-key", "Print an access token, as apiKeyHelper expects it",
			`The same as "gatehouse token": one line, no question, exit code 3 when somebody
must sign in.`, m.token)),
		m.withProfile(m.verb("otel-headers", "Print the headers for telemetry, as otelHeadersHelper expects them",
			`One JSON object with the header Authorization and a fresh access token.`, m.otelHeaders)),
		m.awsVerb(), m.gcpVerb(), m.azureVerb(),
		m.verb("aws-export", "Print AWS keys, as awsCredentialExport expects them",
			`The keys are found where AWS's own programs find them: the environment, the
profile's files, "aws configure export-credentials", the container or the
instance. Keys that end within a minute are not printed. Exit code 3 when
somebody must sign in at AWS, 5 for a bearer key and for keys without a session
token, which Claude Code takes from the environment and the files of AWS alone.`, m.awsExport),
		m.verb("aws-refresh", "Sign in at AWS again if it must be, for awsAuthRefresh",
			`Does nothing while there are keys that hold. Otherwise it runs "aws sso login"
for the profile, whose words are shown, once for all sessions that ask at the
same time, and for at most three minutes.`, m.awsRefresh),
		m.verb("gcp-refresh", "Sign in at Google Cloud again if it must be, for gcpAuthRefresh",
			`Does nothing while there is a credential that holds. Otherwise it runs
"gcloud auth application-default login", whose words are shown, once for all
sessions that ask at the same time, and for at most three minutes.`, m.gcpRefresh),
		m.verb("policy", "Print managed settings, as policyHelper expects them",
			`Not possible yet: exit code 5.`, m.policy),
	)
	return c
}

// noMeans is something that this machine, server or version cannot do.
type noMeans struct{ wrong, mend string }

func (e *noMeans) Error() string { return e.wrong }

func (m *Main) otelHeaders(ctx context.Context) error {
	pair, err := m.freshPair(ctx)
	if err != nil {
		return err
	}
	return m.printSecret(json.Marshal(map[string]string{"Authorization": "Bearer " + pair.Access.Reveal()}))
}

func (m *Main) awsExport(ctx context.Context) error {
	c, err := aws.Source{Machine: m.machine()}.Credential(ctx)
	if err != nil {
		return m.cloudMissing(err, "aws configure")
	}
	if c.Scheme != source.SigV4 {
		return &noMeans{c.Origin + " is a bearer key, which Claude Code uses itself: there are no keys to export", "unset AWS_BEARER_TOKEN_BEDROCK"}
	}
	if c.Keys.Session.Empty() {
		return &noMeans{c.Origin + " has keys without a session token, which Claude Code does not take from awsCredentialExport: it finds them itself", "gatehouse credential list"}
	}
	return m.printSecret(aws.Export(c))
}

// cloudMissing says what to do where a cloud has nothing for us.
func (m *Main) cloudMissing(err error, mend string) error {
	if !fault.Is(err, fault.NotFound) {
		return err
	}
	return fault.New(fault.Unauthenticated, "%s", fault.Message(err)).WithHint(mend)
}

func (m *Main) policy(context.Context) error {
	return &noMeans{"managed settings reach Claude Code when it signs in at the server; a program cannot fetch them yet", "gatehouse setup claude-code"}
}

func (m *Main) printSecret(line []byte, err error) error {
	if err == nil {
		_, err = fmt.Fprintf(m.Stdout, "%s\n", line)
	}
	if err != nil {
		return fmt.Errorf("printing the credential: %w", err)
	}
	return nil
}

// freshPair is what "token" prints, for the other forms.
func (m *Main) freshPair(ctx context.Context) (credential.Pair, error) {
	if t, none, err := m.agentToken(ctx, secret.Hash{}); !none {
		if err == nil {
			err = m.leadsThere(t.Server)
		}
		return credential.Pair{Access: t.Access, Expires: t.Expires}, err
	}
	at, err := m.places()
	if err != nil {
		return credential.Pair{}, err
	}
	if err := m.leadsThere(at.known.Origin); err != nil {
		return credential.Pair{}, err
	}
	pair, err := m.source(at).Pair(ctx)
	if fault.Is(err, fault.NotFound) {
		// "storage move" may have come between the two looks.
		if now, again := m.places(); again == nil && now.keptIn() != at.keptIn() {
			at = now
			pair, err = m.source(at).Pair(ctx)
		}
	}
	if err != nil {
		return credential.Pair{}, at.signedOut(err)
	}
	if !credential.Printable(pair.Access) {
		return credential.Pair{}, fault.New(fault.Invalid, "the stored access token is not printable")
	}
	return pair, nil
}

// machine is what sources may look at.
func (m *Main) machine() source.Machine {
	return source.Machine{System: m.System, Home: m.Home, Getenv: m.Getenv, Now: m.Now, Wait: m.Wait, LookPath: m.LookPath,
		Transport: m.Transport, Agent: fmt.Sprintf("gatehouse/%s (%s/%s)", m.Version, m.System, m.Arch)}
}

// sessionDir is a private folder in memory that is gone when the person has signed
// out of the machine; "" where there is none.
func (m *Main) sessionDir() string {
	dir := m.Getenv("XDG_RUNTIME_DIR")
	if info, err := os.Stat(dir); !filepath.IsAbs(dir) || err != nil || !info.IsDir() {
		return ""
	}
	return filepath.Join(dir, "gatehouse")
}

// cacheDir is a private folder for what may be lost: in memory where the system has
// such a place, which is emptied when the person signs out of the machine. It is
// "" where there is none.
func (m *Main) cacheDir() string {
	get := m.Getenv
	switch dir := m.sessionDir(); {
	case dir != "":
		return dir
	case filepath.IsAbs(get("XDG_CACHE_HOME")):
		return filepath.Join(get("XDG_CACHE_HOME"), "gatehouse")
	case m.System == "windows" && filepath.IsAbs(get("LOCALAPPDATA")):
		return filepath.Join(get("LOCALAPPDATA"), "Gatehouse", "Cache")
	case m.Home == "":
		return ""
	case m.System == "darwin":
		return filepath.Join(m.Home, "Library", "Caches", "gatehouse")
	}
	return filepath.Join(m.Home, ".cache", "gatehouse")
}
