package foundry

import (
	"github.com/gatehouse-dev/gatehouse/internal/catalogue"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/anthropic"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/direct"
)

// Endpoint is the address of a resource.
func Endpoint(resource string) string {
	return "https://" + resource + ".services.ai.azure.com/anthropic"
}

// New returns the upstream. Of cfg, BaseURL is the resource's, and Credential or
// Key gets in.
func New(cfg anthropic.Config, c *catalogue.Catalogue) (*anthropic.Upstream, error) {
	if cfg.BaseURL == "" {
		return nil, fault.New(fault.Invalid, "the name of a resource or its address is needed").At("resource")
	}
	cfg.Provider, cfg.Catalogue, cfg.Mute = catalogue.Foundry, c, true
	cfg.Always = append(cfg.Always, direct.Field{Name: "Api-Key"}) // never a client's
	return anthropic.New(cfg)
}
