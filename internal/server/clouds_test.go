package server_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	azurecloud "github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/cloudaccess"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/cloud"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/nodes"
	"golang.org/x/oauth2/google/externalaccount"
)

const (
	exchangeGrant = "urn:ietf:params:oauth:grant-type:token-exchange"
	accessType    = "urn:ietf:params:oauth:token-type:access_token"
	identityType  = "urn:ietf:params:oauth:token-type:id_token"
)

// sky is an organization whose members reach all three clouds, which trust it.
type sky struct {
	*nodes.World
	cloud  *cloud.Server
	access string // a member's access token
}

func newSky(t *testing.T, database string) *sky {
	t.Helper()
	s := &sky{World: nodes.Start(t, nodes.Options{Database: database}), cloud: cloud.New(t)}
	o := s.Sample.Organization
	s.cloud.Now = s.Clock.Now
	s.cloud.Trusted = cloud.Trust{Issuer: s.URL + "/oidc/" + string(o), Subject: "organization:" + string(o)}
	for _, a := range []cloudaccess.Access{
		{Cloud: cloudaccess.AWS, Settings: cloudaccess.Settings{RoleARN: cloud.RoleARN, Region: cloud.Region}},
		{Cloud: cloudaccess.Google, Settings: cloudaccess.Settings{Project: cloud.Project, ProjectNumber: cloud.ProjectNumber, Region: cloud.Region, Pool: "gatehouse", Provider: "gatehouse"}},
		{Cloud: cloudaccess.Azure, Settings: cloudaccess.Settings{Tenant: cloud.Tenant, Client: cloud.Client, Resource: "claude"}},
	} {
		if _, err := s.Server.Rooms().CloudAccess.Set(t.Context(), caller.OfSystem(o), o, a); err != nil {
			t.Fatal(err)
		}
	}
	s.access = signInDevice(t, s.World).text("access_token")
	return s
}

func (s *sky) exchange(t testing.TB, token, audience string) answer {
	t.Helper()
	return form(t, s.URL, "/oauth/token", "grant_type", exchangeGrant, "subject_token", token, "subject_token_type", accessType, "audience", audience)
}

// identity is a member's identity token for an audience.
func (s *sky) identity(t testing.TB, audience string) string {
	t.Helper()
	got := s.exchange(t, s.access, audience)
	want(t, "the exchange for "+audience, got, http.StatusOK, "")
	if got.text("issued_token_type") != identityType || got.text("token_type") != "N_A" || got.body["expires_in"] != 600.0 || got.text("refresh_token") != "" {
		t.Errorf("the exchange for %s answers %v", audience, got.body)
	}
	return got.text("access_token")
}

// GetIdentityToken is what AWS's SDK asks for.
func (s *sky) identityRetriever(t testing.TB) stscreds.IdentityTokenRetriever {
	return retriever(func() ([]byte, error) { return []byte(s.identity(t, cloud.AWSAudience)), nil })
}

type retriever func() ([]byte, error)

func (r retriever) GetIdentityToken() ([]byte, error) { return r() }

func claimsOf(t testing.TB, token string) map[string]any {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	var claims map[string]any
	if err == nil {
		err = json.Unmarshal(raw, &claims)
	}
	if err != nil {
		t.Fatal(err)
	}
	return claims
}

// TestMembersReachClouds exchanges a sign-in for credentials of every cloud with the
// clouds' own libraries, against stand-ins that verify the token as the clouds do.
func TestMembersReachClouds(t *testing.T) {
	nodes.Each(t, func(t *testing.T, database string) {
		s := newSky(t, database)
		t.Run("aws", func(t *testing.T) {
			client := sts.New(sts.Options{Region: cloud.Region, BaseEndpoint: aws.String(s.cloud.URL + "/sts"), Credentials: aws.AnonymousCredentials{}})
			got, err := stscreds.NewWebIdentityRoleProvider(client, cloud.RoleARN, s.identityRetriever(t), func(o *stscreds.WebIdentityRoleOptions) {
				o.RoleSessionName = "anything"
			}).Retrieve(t.Context())
			if err != nil || !strings.HasPrefix(got.AccessKeyID, "ASIA") || got.SessionToken == "" {
				t.Fatalf("AWS's library got %v, %v", got.AccessKeyID, err)
			}
			said := s.cloud.Assumed()[0]
			if said.Get("SourceIdentity") != s.Sample.Member.Email || said.Get("Tag.gatehouse-organization") != string(s.Sample.Organization) || !strings.HasPrefix(said.Get("Tag.gatehouse-member"), "user_") {
				t.Errorf("AWS is told %v", said)
			}
		})
		t.Run("gcp", func(t *testing.T) {
			source, err := externalaccount.NewTokenSource(t.Context(), externalaccount.Config{Audience: cloud.GooglePool, SubjectTokenType: identityType,
				TokenURL: s.cloud.URL + "/v1/token", Scopes: []string{"https://www.googleapis.com/auth/cloud-platform"},
				SubjectTokenSupplier: supplier(func() string { return s.identity(t, cloud.GooglePool) })})
			if err != nil {
				t.Fatal(err)
			}
			if got, err := source.Token(); err != nil || got.AccessToken == "" {
				t.Errorf("Google's library got %v, %v", got, err)
			}
		})
		t.Run("azure", func(t *testing.T) {
			options := azcore.ClientOptions{Cloud: azurecloud.Configuration{ActiveDirectoryAuthorityHost: "https://entra.test/"}, Transport: detour(s.cloud.URL)}
			credential, err := azidentity.NewClientAssertionCredential(cloud.Tenant, cloud.Client, func(context.Context) (string, error) {
				return s.identity(t, cloud.EntraAudience), nil
			}, &azidentity.ClientAssertionCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: true})
			if err != nil {
				t.Fatal(err)
			}
			if got, err := credential.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://ai.azure.com/.default"}}); err != nil || got.Token == "" {
				t.Errorf("Azure's library got %v", err)
			}
		})
	})
}

type supplier func() string

func (s supplier) SubjectToken(context.Context, externalaccount.SupplierOptions) (string, error) {
	return s(), nil
}

// detour sends what goes to Entra to a stand-in: Azure's library takes https alone.
type detour string

func (d detour) Do(r *http.Request) (*http.Response, error) {
	to, err := url.Parse(string(d))
	if err != nil {
		return nil, err
	}
	if strings.HasSuffix(r.URL.Path, "/.well-known/openid-configuration") {
		tenant := "https://entra.test/" + cloud.Tenant
		raw, err := json.Marshal(map[string]string{"issuer": tenant + "/v2.0", "authorization_endpoint": tenant + "/oauth2/v2.0/authorize", "token_endpoint": tenant + "/oauth2/v2.0/token"})
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(string(raw))), Request: r}, err
	}
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host, r.Host = to.Scheme, to.Host, to.Host
	return http.DefaultTransport.RoundTrip(r)
}

// TestIdentityTokensAreForClouds tries what an identity token must not be good for,
// and who must not get one.
func TestIdentityTokensAreForClouds(t *testing.T) {
	t.Parallel()
	s := newSky(t, "")
	issuer := s.cloud.Trusted.Issuer
	token := s.identity(t, cloud.GooglePool)
	claims := claimsOf(t, token)
	if claims["iss"] != issuer || claims["aud"] != cloud.GooglePool || claims["email"] != s.Sample.Member.Email || claims["sub"] != claims["member"] ||
		claims["exp"].(float64)-claims["iat"].(float64) != 600 {
		t.Errorf("the claims are %v", claims)
	}
	if got := claimsOf(t, s.identity(t, cloud.EntraAudience)); got["sub"] != s.cloud.Trusted.Subject {
		t.Errorf("to Entra the subject is %v", got["sub"])
	}
	if got := ask(t, s.URL, token); got != http.StatusUnauthorized {
		t.Errorf("a model takes an identity token: %d", got)
	}
	want(t, "an identity token is exchanged", s.exchange(t, token, cloud.GooglePool), http.StatusUnauthorized, "invalid_grant")
	want(t, "another audience", s.exchange(t, s.access, "https://elsewhere.example.com"), http.StatusBadRequest, "invalid_target")
	want(t, "a key is exchanged", s.exchange(t, s.Sample.APIKey.Reveal(), cloud.AWSAudience), http.StatusBadRequest, "access_denied")
	want(t, "no audience", s.exchange(t, s.access, ""), http.StatusBadRequest, "invalid_request")
	want(t, "another type", form(t, s.URL, "/oauth/token", "grant_type", exchangeGrant, "subject_token", s.access, "subject_token_type", identityType, "audience", cloud.AWSAudience), http.StatusBadRequest, "invalid_request")

	// Its issuer publishes what verifies it, and nothing of the keys of access tokens.
	keys := send(t, http.MethodGet, issuer+"/jwks.json", "", "", nil)
	for _, k := range keys.body["keys"].([]any) {
		if key := k.(map[string]any); key["alg"] != "RS256" || key["d"] != nil || key["use"] != "sig" {
			t.Errorf("a key is published as %v", key)
		}
	}
	about := send(t, http.MethodGet, issuer+"/.well-known/openid-configuration", "", "", nil)
	if about.text("issuer") != issuer || about.text("jwks_uri") != issuer+"/jwks.json" {
		t.Errorf("the issuer says %v", about.body)
	}
	if got := send(t, http.MethodGet, s.URL+"/oidc/none/jwks.json", "", "", nil); got.status != http.StatusNotFound {
		t.Errorf("keys of what is no organization: %d", got.status)
	}

	// The group decides, and the end of the sign-in ends the supply.
	o := s.Sample.Organization
	narrow := cloudaccess.Access{Cloud: cloudaccess.AWS, Group: id.NewGroup(), Settings: cloudaccess.Settings{RoleARN: cloud.RoleARN, Region: cloud.Region}}
	if _, err := s.Server.Rooms().CloudAccess.Set(t.Context(), caller.OfSystem(o), o, narrow); err != nil {
		t.Fatal(err)
	}
	want(t, "outside of the group", s.exchange(t, s.access, cloud.AWSAudience), http.StatusBadRequest, "invalid_target")
	mine := send(t, http.MethodGet, s.URL+"/user/clouds", "", "", http.Header{"Authorization": {"Bearer " + s.access}})
	if list := mine.body["clouds"].([]any); len(list) != 2 || list[0].(map[string]any)["project_number"] != cloud.ProjectNumber {
		t.Errorf("the member's clouds are %v", list)
	}
	if got := send(t, http.MethodGet, s.URL+"/user/clouds", "", "", nil); got.status != http.StatusUnauthorized || got.header.Get("WWW-Authenticate") != "Bearer" {
		t.Errorf("nobody's clouds: %d", got.status)
	}
	s.Forward(t, 2*time.Hour)
	want(t, "after the access token's end", s.exchange(t, s.access, cloud.GooglePool), http.StatusUnauthorized, "invalid_grant")
}

// TestIdentityKeysAreShared lets one node sign and the other publish.
func TestIdentityKeysAreShared(t *testing.T) {
	t.Parallel()
	s := newSky(t, "")
	token := s.identity(t, cloud.GooglePool)
	other := s.Join(t)
	kid := func() string {
		raw, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[0])
		var head struct{ Kid string }
		if err == nil {
			err = json.Unmarshal(raw, &head)
		}
		if err != nil {
			t.Fatal(err)
		}
		return head.Kid
	}()
	published := send(t, http.MethodGet, other.URL+"/oidc/"+string(s.Sample.Organization)+"/jwks.json", "", "", nil).body["keys"].([]any)
	if len(published) != 1 || published[0].(map[string]any)["kid"] != kid {
		t.Errorf("the other node publishes %v, and not %s", published, kid)
	}
}
