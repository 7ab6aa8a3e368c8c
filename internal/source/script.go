package source

import (
	"context"

	"github.com/gatehouse-dev/gatehouse/internal/helper"
)

// Script is an apiKeyHelper out of Claude Code's settings.
type Script struct {
	Runner *helper.Runner
	Script helper.Script
}

// Find looks whether there is one; it is not run.
func (s Script) Find(context.Context) (About, bool) {
	if s.Script.Line == "" {
		return About{}, false
	}
	about := About{Kind: Helper, Origin: "the " + string(s.Script.Kind) + " in " + s.Script.File, Payer: "whoever the script's credential belongs to"}
	if s.Script.Server != "" {
		about.Payer = "whoever runs " + Place(s.Script.Server)
	}
	if (s.Script.Place == helper.Project || s.Script.Place == helper.Local) && !s.Script.Trusted {
		about.Problem = "it is not run, because the project has not been trusted"
	}
	return about, true
}

// Credential is what the script prints, or printed a short while ago.
func (s Script) Credential(ctx context.Context) (Credential, error) {
	about, found := s.Find(ctx)
	if !found {
		return Credential{}, None("there is no apiKeyHelper")
	}
	token, err := s.Runner.Token(ctx, s.Script)
	if err != nil {
		return Credential{}, err
	}
	about.Expires = ends(token)
	return Ready(Credential{About: about, Scheme: Both, Value: token}, s.Runner.Now(), "gatehouse doctor")
}
