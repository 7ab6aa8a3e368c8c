package main

import (
	"context"
	"errors"

	"github.com/gatehouse-dev/gatehouse/internal/agent"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/login"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

const (
	// agentSocket names a socket that tokens come from, and from nowhere else.
	agentSocket = "GATEHOUSE_AGENT_SOCK"
	// agentWish is "on" or "off".
	agentWish = "GATEHOUSE_AGENT"
)

// askAgent asks the agent that GATEHOUSE_AGENT_SOCK names, else the one of this
// user. It fails with agent.ErrNone where none answers.
func (m *Main) askAgent(ctx context.Context, r agent.Request) (agent.Answer, error) {
	if !agent.Supported {
		return agent.Answer{}, &noMeans{"there is no agent on Windows yet", "gatehouse token"}
	}
	if named := m.Getenv(agentSocket); named != "" {
		return agent.Ask(ctx, named, true, r)
	}
	dir := m.agentFolder()
	if dir == "" {
		return agent.Answer{}, agent.ErrNone
	}
	return agent.Ask(ctx, agent.SocketIn(dir), false, r)
}

// agentToken is a token of the agent. Without an error, none says that there is no
// agent to ask, or that it serves another configuration: then the storage is.
func (m *Main) agentToken(ctx context.Context, refused secret.Hash) (token agent.Token, none bool, err error) {
	named := m.Getenv(agentSocket) != ""
	wish := m.Getenv(agentWish)
	switch {
	case wish != "" && wish != "on" && wish != "off":
		return agent.Token{}, false, &usageError{agentWish + ` is "on" or "off"`, "unset " + agentWish}
	case !named && (wish == "off" || !agent.Supported):
		return agent.Token{}, true, nil
	}
	r, err := m.tokenRequest(named, refused)
	if err != nil {
		return agent.Token{}, false, err
	}
	a, err := m.askAgent(ctx, r)
	if errors.Is(err, agent.ErrNone) && !named && (wish == "on" || m.wantAgent) {
		if err := m.startAgent(ctx, agentFlags{idle: defaultIdle}); err != nil {
			m.say("gatehouse: warning: %s; the storage is asked instead", oneLine(message(err)))
			return agent.Token{}, true, nil
		}
		a, err = m.askAgent(ctx, r)
	}
	switch {
	case errors.Is(err, agent.ErrNone) && named:
		return agent.Token{}, false, fault.New(fault.Unavailable, "no agent answers at %s, which %s names", printable(m.Getenv(agentSocket)), agentSocket).
			WithHint("unset " + agentSocket)
	case errors.Is(err, agent.ErrNone) || errors.Is(err, agent.ErrElsewhere):
		return agent.Token{}, true, nil
	case err != nil:
		return agent.Token{}, false, err
	case a.Token == nil:
		return agent.Token{}, false, fault.New(fault.Invalid, "the agent gave no token").WithHint("gatehouse agent stop")
	}
	return *a.Token, false, nil
}

// tokenRequest says whose token is meant. A named agent may be on another machine:
// it is told nothing that was not said here.
func (m *Main) tokenRequest(named bool, refused secret.Hash) (agent.Request, error) {
	profile, err := m.profile()
	if err != nil {
		return agent.Request{}, err
	}
	r := agent.Request{Verb: agent.VerbToken, Profile: profile, Refused: refused}
	if !named {
		r.Home, err = m.agentHome()
		return r, err
	}
	if said, err := m.said(); err != nil || !said {
		r.Profile = ""
	}
	if address := m.Getenv("GATEHOUSE_SERVER"); address != "" {
		if r.Server, err = login.ParseServer(address); err != nil {
			return agent.Request{}, err
		}
	}
	return r, nil
}
