package anthropicaws

import (
	"github.com/gatehouse-dev/gatehouse/internal/catalogue"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/anthropic"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/awsauth"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/direct"
)

// Service is the platform's name in a signature.
const Service = "aws-external-anthropic"

// Endpoint is the platform's address in a region.
func Endpoint(region string) string { return "https://" + Service + "." + region + ".api.aws" }

// New returns the upstream of a workspace. Of cfg, Credential is of package
// awsauth, for Service.
func New(cfg anthropic.Config, region, workspace string, c *catalogue.Catalogue) (*anthropic.Upstream, error) {
	if workspace == "" {
		return nil, fault.New(fault.Invalid, "the id of a workspace is needed").At("workspace")
	}
	if cfg.BaseURL == "" {
		cfg.BaseURL = Endpoint(region)
	}
	cfg.Provider, cfg.Catalogue, cfg.RanOut = catalogue.AnthropicAWS, c, awsauth.RanOut
	cfg.Always = append(cfg.Always, direct.Field{Name: "Anthropic-Workspace-Id", Values: []string{workspace}})
	return anthropic.New(cfg)
}
