package mantle

import (
	"github.com/gatehouse-dev/gatehouse/internal/catalogue"
	"github.com/gatehouse-dev/gatehouse/internal/price"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/anthropic"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/awsauth"
)

// Service is the endpoint's name in a signature.
const Service = "bedrock-mantle"

// Endpoint is the endpoint's address in a region.
func Endpoint(region string) string {
	return "https://" + Service + "." + region + ".api.aws/anthropic"
}

// New returns the upstream of a region. Of cfg, Credential is of package awsauth, for
// Service.
func New(cfg anthropic.Config, region string, c *catalogue.Catalogue) (*anthropic.Upstream, error) {
	if cfg.BaseURL == "" {
		cfg.BaseURL = Endpoint(region)
	}
	cfg.Provider, cfg.Catalogue, cfg.RanOut, cfg.Terms, cfg.Mute = catalogue.Mantle, c, awsauth.RanOut, price.Regional, true
	return anthropic.New(cfg)
}
