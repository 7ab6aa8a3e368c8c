package aws_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/source"
	"github.com/gatehouse-dev/gatehouse/internal/source/aws"
	st "github.com/gatehouse-dev/gatehouse/internal/source/sourcetest"
)

const secretKey = "wJalr/" + st.Canary + "+KEY"

// flat is what "aws configure export-credentials" prints, and with token as name
// of the third what the metadata endpoints answer.
func flat(left time.Duration, token string) string {
	return fmt.Sprintf(`{"Version":1,"Code":"Success","AccessKeyId":"ASIAEXAMPLE","SecretAccessKey":%q,%q:%q,"Expiration":%q}`,
		secretKey, token, "session-"+st.Canary, st.Now().Add(left).Format(time.RFC3339))
}

func tool(left time.Duration) string { return flat(left, "SessionToken") }

func TestSuite(t *testing.T) {
	t.Parallel()
	of := func(w *st.World) aws.Source {
		return aws.Source{Machine: w.Machine(), Container: w.URL, Instance: w.URL}
	}
	base := st.Case{Kind: source.AWS, Scheme: source.SigV4, Payer: "AWS account"}
	with := func(name, origin string, remote st.Remote, change func(*st.Case)) st.Case {
		c := base
		c.Name, c.Origin, c.Remote = name, origin, remote
		change(&c)
		return c
	}
	st.Run(t,
		with("the key of Bedrock", "AWS_BEARER_TOKEN_BEDROCK", st.Nothing, func(c *st.Case) {
			c.Endless, c.Scheme = true, source.Bearer
			c.New = func(w *st.World, _ time.Duration) (source.Source, string) {
				w.Env["AWS_BEARER_TOKEN_BEDROCK"] = "ABSK" + st.Canary
				return of(w), "ABSK" + st.Canary
			}
		}),
		with("variables", "AWS_ACCESS_KEY_ID", st.Nothing, func(c *st.Case) {
			c.Endless = true
			c.New = func(w *st.World, _ time.Duration) (source.Source, string) {
				w.Env["AWS_ACCESS_KEY_ID"], w.Env["AWS_SECRET_ACCESS_KEY"] = "AKIAEXAMPLE", secretKey
				return of(w), secretKey
			}
		}),
		with("the credentials file", "credentials (profile work)", st.Nothing, func(c *st.Case) {
			c.Endless = true
			c.New = func(w *st.World, _ time.Duration) (source.Source, string) {
				w.Env["AWS_PROFILE"] = "work"
				// A named profile wins over what is left in the shell.
				w.Env["AWS_ACCESS_KEY_ID"], w.Env["AWS_SECRET_ACCESS_KEY"] = "AKIAOTHER", "other"
				w.Write(".aws/credentials", "[default]\naws_access_key_id=AKIANO\naws_secret_access_key=no\n\n[work]\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = "+secretKey+" # mine\n", 0o600)
				return of(w), secretKey
			}
		}),
		with("the tool", "aws configure export-credentials (profile work)", st.Program, func(c *st.Case) {
			c.New = func(w *st.World, _ time.Duration) (source.Source, string) {
				w.Env["AWS_PROFILE"] = "work"
				w.Write(".aws/config", "[profile work]\nsso_session = corp\n", 0o600)
				w.Command("aws", tool)
				return of(w), secretKey
			}
		}),
		with("credential_process", "config (profile default)", st.Program, func(c *st.Case) {
			c.New = func(w *st.World, _ time.Duration) (source.Source, string) {
				w.Command("vendor", tool)
				w.Write(".aws/config", "[default]\ncredential_process = vendor --json\n", 0o600)
				return of(w), secretKey
			}
		}),
		with("a container", "this container", st.Metadata, func(c *st.Case) {
			c.New = func(w *st.World, _ time.Duration) (source.Source, string) {
				w.Env["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = w.URL + "/v1/credentials"
				w.Env["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = w.Write("token", "Basic "+st.Canary+"\n", 0o600)
				w.Answer = func(rw http.ResponseWriter, r *http.Request, left time.Duration) {
					if r.Header.Get("Authorization") != "Basic "+st.Canary {
						rw.WriteHeader(http.StatusUnauthorized)
					}
					_, _ = rw.Write([]byte(flat(left, "Token")))
				}
				return of(w), secretKey
			}
		}),
		with("an instance", "role builder", st.Metadata, func(c *st.Case) {
			c.Unseen = true
			c.New = func(w *st.World, _ time.Duration) (source.Source, string) {
				w.Answer = instance
				return of(w), secretKey
			}
		}),
	)
}

// instance is version 2 of the metadata service: nothing without a token.
func instance(rw http.ResponseWriter, r *http.Request, left time.Duration) {
	const token = "imds-" + st.Canary
	switch {
	case r.Method == http.MethodPut && r.URL.Path == "/latest/api/token" && r.Header.Get("X-aws-ec2-metadata-token-ttl-seconds") != "":
		_, _ = rw.Write([]byte(token))
	case r.Header.Get("X-aws-ec2-metadata-token") != token:
		rw.WriteHeader(http.StatusUnauthorized)
	case r.URL.Path == "/latest/meta-data/iam/security-credentials/":
		_, _ = rw.Write([]byte("builder\n"))
	case r.URL.Path == "/latest/meta-data/iam/security-credentials/builder":
		_, _ = rw.Write([]byte(flat(left, "Token")))
	default:
		rw.WriteHeader(http.StatusNotFound)
	}
}

// A container's token goes to its own machine or link, or by https, and nowhere else.
func TestAContainersTokenStaysHere(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"http://93.184.216.34/x", "http://example.com.invalid/x", "ftp://127.0.0.1/x", "file:///etc/passwd", "http://user@127.0.0.1/x"} {
		env := map[string]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI": address, "AWS_CONTAINER_AUTHORIZATION_TOKEN": st.Canary, "AWS_EC2_METADATA_DISABLED": "true"}
		m := machine(t, env)
		if _, err := (aws.Source{Machine: m}).Credential(t.Context()); err == nil || strings.Contains(err.Error(), st.Canary) || strings.Contains(err.Error(), "user@") {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func machine(t *testing.T, env map[string]string) source.Machine {
	return source.Machine{System: "linux", Home: t.TempDir(), Getenv: func(n string) string { return env[n] }, Now: st.Now,
		Wait: st.Patient, LookPath: func(string) (string, error) { return "", os.ErrNotExist }}
}

// Whatever the files are, nothing but an error comes of it.
func TestBadFiles(t *testing.T) {
	t.Parallel()
	for name, make := range map[string]func(path string) error{
		"empty":  func(p string) error { return os.WriteFile(p, nil, 0o600) },
		"folder": func(p string) error { return os.Mkdir(p, 0o700) },
		"huge":   func(p string) error { return os.WriteFile(p, []byte(strings.Repeat("[default]\n", 300000)), 0o600) },
		"half": func(p string) error {
			return os.WriteFile(p, []byte("[default]\naws_access_key_id=AKIA\naws_secret_acc"), 0o600)
		},
		"loop":   func(p string) error { return os.Symlink(p, p) },
		"binary": func(p string) error { return os.WriteFile(p, []byte("[\x00\xff]\n=\n]["), 0o600) },
	} {
		m := machine(t, map[string]string{"AWS_EC2_METADATA_DISABLED": "true"})
		path := filepath.Join(m.Home, ".aws", "credentials")
		if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := make(path); err != nil {
			t.Fatal(err)
		}
		if c, err := (aws.Source{Machine: m}).Credential(t.Context()); err == nil {
			t.Errorf("%s: %+v", name, c.About)
		}
	}
	m := machine(t, map[string]string{"AWS_EC2_METADATA_DISABLED": "true"})
	path := filepath.Join(m.Home, "keys")
	if err := os.WriteFile(path, []byte("[default]\naws_access_key_id=AKIA\naws_secret_access_key=s\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	get := m.Getenv
	m.Getenv = func(n string) string {
		if n == "AWS_SHARED_CREDENTIALS_FILE" {
			return path
		}
		return get(n)
	}
	if about, found := (aws.Source{Machine: m}).Find(t.Context()); !found || !strings.Contains(about.Problem, "chmod 600 "+path) {
		t.Errorf("keys that others can read: %+v", about)
	}
}

func TestExport(t *testing.T) {
	t.Parallel()
	got, err := aws.Export(source.Credential{About: source.About{Expires: st.Now()}, Keys: source.Keys{ID: "AKIA", Secret: secret.New("s"), Session: secret.New("t")}})
	if err != nil || string(got) != `{"Credentials":{"AccessKeyId":"AKIA","SecretAccessKey":"s","SessionToken":"t","Expiration":"2026-11-25T12:00:00Z"}}` {
		t.Errorf("%s, %v", got, err)
	}
	if got, err = aws.Export(source.Credential{Keys: source.Keys{ID: "AKIA", Secret: secret.New("s")}}); err != nil || !json.Valid(got) || strings.Contains(string(got), "Session") {
		t.Errorf("%s, %v", got, err)
	}
}

// Version 1 of the tool, which many machines have, knows no export-credentials:
// its exit code 2 is no sign-in that has ended.
func TestTheToolOfVersion1(t *testing.T) {
	t.Parallel()
	w := st.New(t)
	w.Write("bin/aws", "#!/bin/sh\necho 'aws: error: argument subcommand: Invalid choice, valid choices are:' >&2\nexit 2\n", 0o700)
	w.Write(".aws/config", "[default]\nsso_session = corp\n", 0o600)
	if _, err := (aws.Source{Machine: w.Machine()}).Credential(t.Context()); !fault.Is(err, fault.Unsupported) || !strings.Contains(err.Error(), "version 1") {
		t.Errorf("%v", err)
	}
	w.Command("vendor", tool)
	w.Write(".aws/config", "[default]\ncredential_process = vendor\n", 0o600)
	if c, err := (aws.Source{Machine: w.Machine()}).Credential(t.Context()); err != nil || c.Keys.Secret.Reveal() != secretKey {
		t.Errorf("%v", err)
	}
}
