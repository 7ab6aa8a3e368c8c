package azure_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/source"
	"github.com/gatehouse-dev/gatehouse/internal/source/azure"
	st "github.com/gatehouse-dev/gatehouse/internal/source/sourcetest"
)

func printed(left time.Duration) string {
	return fmt.Sprintf(`{"accessToken":%q,"expiresOn":"2026-11-25 13:00:00.000000","expires_on":%d,"subscription":"s","tenant":"t","tokenType":"Bearer"}`,
		st.JWT(left), st.Now().Add(left).Unix())
}

func entra(check func(r *http.Request) bool) func(http.ResponseWriter, *http.Request, time.Duration) {
	return func(rw http.ResponseWriter, r *http.Request, left time.Duration) {
		if !check(r) {
			rw.WriteHeader(http.StatusBadRequest)
		}
		_, _ = fmt.Fprintf(rw, `{"token_type":"Bearer","expires_in":%d,"access_token":%q}`, int(left.Seconds()), st.JWT(left))
	}
}

// managed is what identity endpoints answer: numbers as texts.
func managed(check func(r *http.Request) bool) func(http.ResponseWriter, *http.Request, time.Duration) {
	return func(rw http.ResponseWriter, r *http.Request, left time.Duration) {
		if !check(r) || r.URL.Query().Get("resource") != "https://ai.azure.com" {
			rw.WriteHeader(http.StatusBadRequest)
		}
		_, _ = fmt.Fprintf(rw, `{"access_token":%q,"expires_on":"%d","resource":"https://ai.azure.com","token_type":"Bearer"}`, st.JWT(left), st.Now().Add(left).Unix())
	}
}

func TestSuite(t *testing.T) {
	t.Parallel()
	of := func(w *st.World) azure.Source {
		w.Env["ANTHROPIC_FOUNDRY_RESOURCE"] = "acme-ai"
		return azure.Source{Machine: w.Machine(), Authority: w.URL, Metadata: w.URL}
	}
	one := func(name, origin string, remote st.Remote, setUp func(w *st.World)) st.Case {
		return st.Case{Name: name, Kind: source.Azure, Scheme: source.Bearer, Origin: origin, Payer: "acme-ai", Remote: remote,
			New: func(w *st.World, left time.Duration) (source.Source, string) {
				setUp(w)
				return of(w), st.JWT(left)
			}}
	}
	variable := func(name string, scheme source.Scheme) st.Case {
		c := one(name, name, st.Nothing, nil)
		c.Scheme, c.Endless = scheme, true
		c.New = func(w *st.World, _ time.Duration) (source.Source, string) {
			w.Env[name] = st.Canary
			return of(w), st.Canary
		}
		return c
	}
	ids := func(w *st.World) { w.Env["AZURE_TENANT_ID"], w.Env["AZURE_CLIENT_ID"] = "tenant", "client" }
	instance := one("a virtual machine", "virtual machine", st.Metadata, func(w *st.World) {
		w.Answer = managed(func(r *http.Request) bool {
			return r.Header.Get("Metadata") == "true" && r.URL.Path == "/metadata/identity/oauth2/token"
		})
	})
	instance.Unseen = true
	st.Run(t,
		variable("ANTHROPIC_FOUNDRY_AUTH_TOKEN", source.Bearer),
		variable("ANTHROPIC_FOUNDRY_API_KEY", source.Header),
		one("a service principal", "AZURE_CLIENT_ID", st.Endpoint, func(w *st.World) {
			ids(w)
			w.Env["AZURE_CLIENT_SECRET"] = st.Canary
			w.Answer = entra(func(r *http.Request) bool {
				return r.URL.Path == "/tenant/oauth2/v2.0/token" && r.PostFormValue("client_secret") == st.Canary && r.PostFormValue("scope") == "https://ai.azure.com/.default" && r.PostFormValue("grant_type") == "client_credentials"
			})
		}),
		one("a workload", "AZURE_FEDERATED_TOKEN_FILE", st.Endpoint, func(w *st.World) {
			ids(w)
			// Kubernetes projects it by links.
			w.Write("..data/token", st.JWT(time.Hour)+"\n", 0o644)
			w.Env["AZURE_FEDERATED_TOKEN_FILE"] = filepath.Join(w.Home, "token")
			if err := os.Symlink("..data/token", w.Env["AZURE_FEDERATED_TOKEN_FILE"]); err != nil {
				w.T.Fatal(err)
			}
			w.Answer = entra(func(r *http.Request) bool {
				return r.PostFormValue("client_assertion") == st.JWT(time.Hour) && strings.HasSuffix(r.PostFormValue("client_assertion_type"), "jwt-bearer")
			})
		}),
		one("an app", "identity of this app", st.Endpoint, func(w *st.World) {
			w.Env["IDENTITY_ENDPOINT"], w.Env["IDENTITY_HEADER"] = w.URL+"/msi/token", st.Canary
			w.Answer = managed(func(r *http.Request) bool {
				return r.Header.Get("X-IDENTITY-HEADER") == st.Canary && r.URL.Path == "/msi/token" && r.URL.Query().Get("api-version") == "2019-08-01"
			})
		}),
		one("the tool", "az account get-access-token", st.Program, func(w *st.World) {
			w.Write(".azure/azureProfile.json", "{}", 0o600)
			w.Command("az", printed)
		}),
		instance,
	)
}

// A tool that hides the token is asked for it in so many words.
func TestATokenThatIsHidden(t *testing.T) {
	t.Parallel()
	w := st.New(t)
	w.Write("open", printed(time.Hour), 0o600)
	w.Write(".azure/azureProfile.json", "{}", 0o600)
	w.Write("bin/az", "#!/bin/sh\ncase \"$*\" in *--plaintext*) cat "+w.Home+"/open;; *) echo '{\"accessToken\":\"***\",\"tokenType\":\"Bearer\"}';; esac\n", 0o700)
	m := w.Machine()
	got, err := azure.Source{Machine: m}.Credential(t.Context())
	if err != nil || got.Value.Reveal() != st.JWT(time.Hour) {
		t.Errorf("%v", err)
	}
}

// An authority that the environment names gets the secret by https alone.
func TestTheAuthorityIsReachedByHTTPS(t *testing.T) {
	t.Parallel()
	env := map[string]string{"AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c", "AZURE_CLIENT_SECRET": st.Canary, "AZURE_AUTHORITY_HOST": "http://login.example.com"}
	m := source.Machine{System: "linux", Getenv: func(n string) string { return env[n] }, Now: st.Now, Wait: st.Patient, LookPath: func(string) (string, error) { return "", os.ErrNotExist }}
	if _, err := (azure.Source{Machine: m}).Credential(t.Context()); err == nil || !strings.Contains(err.Error(), "not reached by https") {
		t.Errorf("%v", err)
	}
}
