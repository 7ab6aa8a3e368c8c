package anthropicaws_test

import (
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/catalogue"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/cloud"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/upstream"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/anthropic"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/anthropicaws"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/awsauth"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/upstreamtest"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	for name, auth := range map[string]awsauth.Config{
		"key":       {Bearer: secret.New(cloud.BearerKey), KeyName: "X-Api-Key"},
		"signature": {Static: awsauth.Key{ID: cloud.AccessKey, Secret: secret.New(cloud.SecretKey)}},
	} {
		auth.Region, auth.Service, auth.Now = cloud.Region, anthropicaws.Service, time.Now
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			upstreamtest.Run(t, func(t *testing.T) upstreamtest.Subject {
				s := cloud.New(t)
				s.Model.Respond(upstream.Slowly)
				a, err := awsauth.New(auth)
				if err != nil {
					t.Fatal(err)
				}
				u, err := anthropicaws.New(anthropic.Config{Name: "main", BaseURL: s.URL, Credential: a}, cloud.Region, cloud.Workspace, catalogue.Default())
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(u.Close)
				return upstreamtest.Subject{Upstream: u, Model: "claude-opus-5", Slow: "slowly"}
			})
		})
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	if _, err := anthropicaws.New(anthropic.Config{Key: secret.New("k")}, "eu-central-1", "", catalogue.Default()); !fault.Is(err, fault.Invalid) {
		t.Errorf("without a workspace: %v", err)
	}
	if at := anthropicaws.Endpoint("eu-central-1"); at != "https://aws-external-anthropic.eu-central-1.api.aws" {
		t.Error(at)
	}
}
