package exchange_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/login"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/source"
	"github.com/gatehouse-dev/gatehouse/internal/source/exchange"
	st "github.com/gatehouse-dev/gatehouse/internal/source/sourcetest"
)

var (
	atAWS = login.Cloud{Cloud: login.AWS, Audience: "sts.amazonaws.com", Region: "eu-central-1", RoleARN: "arn:aws:iam::123456789012:role/claude-code",
		SessionName: "ada@example.com", Hours: 4}
	atGoogle = login.Cloud{Cloud: login.Google, Audience: "//iam.googleapis.com/pool", Region: "global", Project: "my-project"}
	atAzure  = login.Cloud{Cloud: login.Azure, Audience: "api://AzureADTokenExchange", Tenant: "tenant", Client: "client", Resource: "claude"}
)

// of is the source of a cloud in a world whose server knows the member.
func of(w *st.World, c login.Cloud) exchange.Source {
	for _, name := range []string{"AWS_ENDPOINT_URL_STS", "CLOUDSDK_API_ENDPOINT_OVERRIDES_STS", "CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS", "AZURE_AUTHORITY_HOST"} {
		w.Env[name] = w.URL
	}
	return exchange.Source{Machine: w.Machine(), Cloud: c, Identity: func(_ context.Context, audience string) (login.Identity, error) {
		return login.Identity{Token: secret.New(st.JWT(time.Hour) + audience), Expires: st.Now().Add(10 * time.Minute)}, nil
	}}
}

// only answers whoever asks in the right way.
func only(right func(r *http.Request) bool, answer func(left time.Duration) string) func(http.ResponseWriter, *http.Request, time.Duration) {
	return func(w http.ResponseWriter, r *http.Request, left time.Duration) {
		if !right(r) {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_, _ = io.WriteString(w, answer(left))
	}
}

func keys(left time.Duration) string {
	return fmt.Sprintf(`<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>ASIAEXAMPLE</AccessKeyId><SecretAccessKey>%[1]s</SecretAccessKey><SessionToken>session-%[1]s</SessionToken><Expiration>%[2]s</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`,
		st.Canary, st.Now().Add(left).Format(time.RFC3339))
}

func token(left time.Duration) string {
	return fmt.Sprintf(`{"access_token":%q,"token_type":"Bearer","expires_in":%d}`, st.Canary, int(left.Seconds()))
}

func TestSuite(t *testing.T) {
	t.Parallel()
	asksAWS := func(r *http.Request) bool {
		f := r.PostFormValue
		return f("Action") == "AssumeRoleWithWebIdentity" && f("RoleArn") == atAWS.RoleARN && f("RoleSessionName") == atAWS.SessionName && f("DurationSeconds") == "14400" &&
			f("WebIdentityToken") == st.JWT(time.Hour)+atAWS.Audience && r.Header.Get("Authorization") == "" && r.URL.RawQuery == ""
	}
	asksGoogle := func(r *http.Request) bool {
		var in map[string]string
		return r.URL.Path == "/v1/token" && json.NewDecoder(r.Body).Decode(&in) == nil && in["audience"] == atGoogle.Audience && in["subjectToken"] == st.JWT(time.Hour)+atGoogle.Audience &&
			in["scope"] == "https://www.googleapis.com/auth/cloud-platform"
	}
	asksAzure := func(r *http.Request) bool {
		f := r.PostFormValue
		return r.URL.Path == "/tenant/oauth2/v2.0/token" && f("client_id") == "client" && f("client_assertion") == st.JWT(time.Hour)+atAzure.Audience && f("client_secret") == ""
	}
	made := func(name string, kind source.Kind, c login.Cloud, answer func(http.ResponseWriter, *http.Request, time.Duration)) st.Case {
		one := st.Case{Name: name, Kind: kind, Scheme: source.Bearer, Origin: "the sign-in", Payer: "the ", Remote: st.Endpoint, Refusal: fault.Denied,
			New: func(w *st.World, _ time.Duration) (source.Source, string) {
				w.Answer = answer
				return of(w, c), st.Canary
			}}
		if kind == source.AWS {
			one.Scheme = source.SigV4
		}
		return one
	}
	account := atGoogle
	account.Account = "claude@my-project.iam.gserviceaccount.com"
	impersonated := func(w http.ResponseWriter, r *http.Request, left time.Duration) {
		switch {
		case asksGoogle(r):
			_, _ = io.WriteString(w, `{"access_token":"first","token_type":"Bearer","expires_in":3600}`)
		case r.URL.Path == "/v1/projects/-/serviceAccounts/"+account.Account+":generateAccessToken" && r.Header.Get("Authorization") == "Bearer first":
			fmt.Fprintf(w, `{"accessToken":%q,"expireTime":%q}`, st.Canary, st.Now().Add(left).Format(time.RFC3339))
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}
	st.Run(t,
		made("AWS", source.AWS, atAWS, only(asksAWS, keys)),
		made("Google Cloud", source.Google, atGoogle, only(asksGoogle, token)),
		made("a service account", source.Google, account, impersonated),
		made("Azure", source.Azure, atAzure, only(asksAzure, token)),
	)
}

// TestCloudsRefuse tells what a cloud says by its code, and never by its sentence.
func TestCloudsRefuse(t *testing.T) {
	t.Parallel()
	sts := func(code string) string {
		return `<ErrorResponse><Error><Code>` + code + `</Code><Message>arn:aws:iam::123456789012:role/x ` + st.Canary + `</Message></Error></ErrorResponse>`
	}
	for name, tt := range map[string]struct {
		cloud  login.Cloud
		status int
		body   string
		kind   fault.Kind
		says   string
	}{
		"another role":      {atAWS, 403, sts("AccessDenied"), fault.Denied, "403 AccessDenied"},
		"too many":          {atAWS, 400, sts("Throttling"), fault.Unavailable, "400 Throttling"},
		"no way to us":      {atAWS, 400, sts("IDPCommunicationError"), fault.Unavailable, "IDPCommunicationError"},
		"the clock":         {atAWS, 400, sts("ExpiredTokenException"), fault.Invalid, "clock"},
		"a code of its own": {atAWS, 403, sts("a b " + st.Canary), fault.Denied, "(403)"},
		"the pool":          {atGoogle, 400, `{"error":"invalid_grant","error_description":"projects/123 ` + st.Canary + `"}`, fault.Denied, "400 invalid_grant"},
		"the subject":       {atAzure, 401, `{"error":"invalid_client","error_description":"AADSTS700213 ` + st.Canary + `"}`, fault.Denied, "401 invalid_client"},
		"Google is busy":    {atGoogle, 429, `{}`, fault.Unavailable, "429"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := st.New(t)
			w.Answer = func(rw http.ResponseWriter, _ *http.Request, _ time.Duration) {
				rw.WriteHeader(tt.status)
				_, _ = io.WriteString(rw, tt.body)
			}
			_, err := of(w, tt.cloud).Credential(t.Context())
			if fault.KindOf(err) != tt.kind || !strings.Contains(fault.Message(err), tt.says) {
				t.Errorf("%v (%s), want %s", err, fault.KindOf(err), tt.kind)
			}
			if said := fmt.Sprintf("%v %#v", err, err); strings.Contains(said, st.Canary) || strings.Contains(said, "123456789012") {
				t.Errorf("the error repeats the cloud's sentence: %s", said)
			}
		})
	}
}

func TestEndpoints(t *testing.T) {
	t.Parallel()
	w := st.New(t)
	if got := exchange.GoogleToken(w.Machine()); got != "https://sts.googleapis.com/v1/token" {
		t.Errorf("Google's token service is %s", got)
	}
	file, err := exchange.ExternalAccount(w.Machine(), atGoogle, "gatehouse credential gcp")
	var read map[string]any
	if err != nil || json.Unmarshal(file, &read) != nil || read["type"] != "external_account" || read["audience"] != atGoogle.Audience || read["service_account_impersonation_url"] != nil {
		t.Errorf("the file of Google's libraries is %s, %v", file, err)
	}
}

// FuzzSTS shows what calls itself STS to the reader: it hands out keys whole, or none.
func FuzzSTS(f *testing.F) {
	f.Add([]byte(keys(time.Hour)))
	f.Add([]byte(`<AssumeRoleWithWebIdentityResponse>`))
	f.Add([]byte(`<!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>`))
	f.Fuzz(func(t *testing.T, body []byte) {
		w := st.New(t)
		w.Answer = func(rw http.ResponseWriter, _ *http.Request, _ time.Duration) { _, _ = rw.Write(body) }
		got, err := of(w, atAWS).Credential(t.Context())
		if (err == nil) != (got.Keys.ID != "" && !got.Keys.Secret.Empty() && !got.Keys.Session.Empty() && got.Expires.After(st.Now())) {
			t.Errorf("%+v, %v", got.About, err)
		}
	})
}
