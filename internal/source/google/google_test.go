package google_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/source"
	"github.com/gatehouse-dev/gatehouse/internal/source/google"
	st "github.com/gatehouse-dev/gatehouse/internal/source/sourcetest"
)

const (
	token = "ya29." + st.Canary
	adc   = ".config/gcloud/application_default_credentials.json"
	user  = `{"type":"authorized_user","client_id":"id.apps","client_secret":"` + st.Canary + `","refresh_token":"1//` + st.Canary + `","quota_project_id":"acme-dev"}`
)

var private = sync.OnceValues(func() (*rsa.PrivateKey, string) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err)
	}
	return key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}))
})

// service is a service account's file. Its token_uri leads elsewhere.
func service() string {
	_, key := private()
	raw, _ := json.Marshal(map[string]string{"type": "service_account", "project_id": "acme-prod", "client_email": "ci@acme.iam",
		"private_key_id": "k1", "private_key": key, "token_uri": "http://evil.example.com/token"})
	return string(raw)
}

func grant(rw http.ResponseWriter, left time.Duration) {
	rw.Header().Set("Content-Type", "application/json")
	_, _ = fmt.Fprintf(rw, `{"access_token":%q,"expires_in":%d,"token_type":"Bearer"}`, token, int(left.Seconds()))
}

func TestSuite(t *testing.T) {
	t.Parallel()
	of := func(w *st.World) google.Source {
		return google.Source{Machine: w.Machine(), Token: w.URL + "/token", Metadata: w.URL}
	}
	st.Run(t,
		st.Case{Name: "a person's file", Kind: source.Google, Scheme: source.Bearer, Origin: adc, Payer: "acme-dev", Remote: st.Endpoint,
			New: func(w *st.World, _ time.Duration) (source.Source, string) {
				w.Write(adc, user, 0o600)
				w.Answer = func(rw http.ResponseWriter, r *http.Request, left time.Duration) {
					if r.PostFormValue("grant_type") != "refresh_token" || r.PostFormValue("refresh_token") != "1//"+st.Canary || r.PostFormValue("client_secret") != st.Canary || r.URL.RawQuery != "" {
						rw.WriteHeader(http.StatusBadRequest)
					}
					grant(rw, left)
				}
				return of(w), token
			}},
		st.Case{Name: "a service account", Kind: source.Google, Scheme: source.Bearer, Origin: "(a service account)", Payer: "acme-prod", Remote: st.Endpoint,
			New: func(w *st.World, _ time.Duration) (source.Source, string) {
				w.Env["GOOGLE_APPLICATION_CREDENTIALS"] = w.Write("ci.json", service(), 0o600)
				w.Answer = func(rw http.ResponseWriter, r *http.Request, left time.Duration) {
					if err := verify(r.PostFormValue("assertion"), w.URL+"/token"); err != nil {
						w.T.Error(err)
					}
					grant(rw, left)
				}
				return of(w), token
			}},
		st.Case{Name: "gcloud", Kind: source.Google, Scheme: source.Bearer, Origin: "gcloud auth print-access-token", Payer: "the Google Cloud project acme", Remote: st.Program, Endless: true,
			New: func(w *st.World, _ time.Duration) (source.Source, string) {
				w.Env["GOOGLE_CLOUD_PROJECT"] = "acme"
				w.Write(".config/gcloud/credentials.db", "x", 0o600)
				w.Command("gcloud", func(time.Duration) string { return token + "\n" })
				return of(w), token
			}},
		st.Case{Name: "federation by gcloud", Kind: source.Google, Scheme: source.Bearer, Origin: adc, Payer: "project", Remote: st.Program, Endless: true,
			New: func(w *st.World, _ time.Duration) (source.Source, string) {
				w.Write(adc, `{"type":"external_account","audience":"//iam"}`, 0o600)
				w.Command("gcloud", func(time.Duration) string { return token + "\n" })
				return of(w), token
			}},
		st.Case{Name: "the metadata service", Kind: source.Google, Scheme: source.Bearer, Origin: "metadata service", Payer: "project", Remote: st.Metadata, Unseen: true,
			New: func(w *st.World, _ time.Duration) (source.Source, string) {
				w.Answer = func(rw http.ResponseWriter, r *http.Request, left time.Duration) {
					if r.Header.Get("Metadata-Flavor") != "Google" || r.URL.Path != "/computeMetadata/v1/instance/service-accounts/default/token" {
						rw.WriteHeader(http.StatusForbidden)
					}
					grant(rw, left)
				}
				return of(w), token
			}},
	)
}

// verify is what Google does with an assertion.
func verify(assertion, audience string) error {
	parts := strings.Split(assertion, ".")
	if len(parts) != 3 {
		return fmt.Errorf("no assertion")
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	key, _ := private()
	if err := rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, sum[:], signature); err != nil {
		return err
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return err
	}
	var claims struct {
		Iss, Aud, Scope string
		Iat, Exp        int64
	}
	if err := json.Unmarshal(raw, &claims); err != nil {
		return err
	}
	if claims.Iss != "ci@acme.iam" || claims.Aud != audience || claims.Scope != "https://www.googleapis.com/auth/cloud-platform" || claims.Exp-claims.Iat > 3600 || claims.Iat != st.Now().Unix() {
		return fmt.Errorf("claims: %+v", claims)
	}
	return nil
}

func TestBadFiles(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"empty": "", "array": "[]", "half": user[:40], "no type": "{}", "no token": `{"type":"authorized_user","client_id":"x"}`,
		"no key": `{"type":"service_account","client_email":"x","private_key":"` + st.Canary + `"}`, "unknown": `{"type":"` + st.Canary + `"}`,
	} {
		env := map[string]string{"GOOGLE_APPLICATION_CREDENTIALS": t.TempDir() + "/adc.json"}
		if err := os.WriteFile(env["GOOGLE_APPLICATION_CREDENTIALS"], []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		m := source.Machine{System: "linux", Getenv: func(n string) string { return env[n] }, Now: st.Now, Wait: st.Patient,
			LookPath: func(string) (string, error) { return "", os.ErrNotExist }}
		_, err := (google.Source{Machine: m}).Credential(t.Context())
		if !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.Unsupported) || strings.Contains(err.Error(), st.Canary) {
			t.Errorf("%s: %v", name, err)
		}
		if about, found := (google.Source{Machine: m}).Find(t.Context()); !found || strings.Contains(fmt.Sprint(about), st.Canary) {
			t.Errorf("%s: a file that is named and bad is not told: %+v", name, about)
		}
	}
}
