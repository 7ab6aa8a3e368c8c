package foundry

import (
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/catalogue"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/anthropic"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/direct"
)

// Endpoint is the address of a resource.
func Endpoint(resource string) string {
	return "https://" + resource + ".services.ai.azure.com/anthropic"
}

// Resource reports whether a text can be the name of a resource.
func Resource(name string) bool {
	return len(name) >= 2 && len(name) <= 64 && !strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-'
	})
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
