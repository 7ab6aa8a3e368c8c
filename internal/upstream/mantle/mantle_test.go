package mantle_test

import (
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/catalogue"
	"github.com/gatehouse-dev/gatehouse/internal/price"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/cloud"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/upstream"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/anthropic"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/awsauth"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/mantle"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/upstreamtest"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	for name, auth := range map[string]awsauth.Config{
		"key":       {Bearer: secret.New(cloud.BearerKey)},
		"signature": {Static: awsauth.Key{ID: cloud.AccessKey, Secret: secret.New(cloud.SecretKey)}},
	} {
		auth.Region, auth.Service, auth.Now = cloud.Region, mantle.Service, time.Now
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			upstreamtest.Run(t, func(t *testing.T) upstreamtest.Subject {
				s := cloud.New(t)
				s.Model.Respond(upstream.Slowly)
				a, err := awsauth.New(auth)
				if err != nil {
					t.Fatal(err)
				}
				u, err := mantle.New(anthropic.Config{Name: "main", BaseURL: s.URL + "/mantle/anthropic", Credential: a}, cloud.Region, catalogue.Default())
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(u.Close)
				t.Cleanup(func() {
					for _, seen := range s.Seen() {
						if !strings.Contains(string(seen.Body), `"anthropic.claude-opus-5"`) {
							t.Errorf("the model is asked for as %.200s", seen.Body)
						}
					}
				})
				return upstreamtest.Subject{Upstream: u, Model: "claude-opus-5", Slow: "slowly"}
			})
		})
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	u, err := mantle.New(anthropic.Config{Key: secret.New("k")}, "eu-central-1", catalogue.Default())
	if err != nil {
		t.Fatal(err)
	}
	if u.Pings() || u.Terms("claude-opus-5") != price.Regional || !u.Serves("claude-fable-5") || u.Serves("gpt-5") {
		t.Errorf("pings: %v, terms: %q", u.Pings(), u.Terms("claude-opus-5"))
	}
	if at := mantle.Endpoint("eu-central-1"); at != "https://bedrock-mantle.eu-central-1.api.aws/anthropic" {
		t.Error(at)
	}
}
