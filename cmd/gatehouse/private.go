package main

import (
	"context"
	"sync"

	"github.com/gatehouse-dev/gatehouse/client"
	"github.com/gatehouse-dev/gatehouse/internal/agent"
	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/launch"
	"github.com/gatehouse-dev/gatehouse/internal/privateproxy"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// runPrivate starts a program whose environment has an endpoint of this process
// and a token that ends with it.
func (m *Main) runPrivate(ctx context.Context, args []string) error {
	tokens := &supply{m: m}
	first, err := tokens.get(ctx, secret.Hash{})
	if err != nil {
		return err
	}
	path, err := m.LookPath(args[0])
	if err != nil {
		return notStarted(args[0], err)
	}
	if err := agent.Conceal(); err != nil {
		return err
	}
	proxy, err := privateproxy.Listen(first.Server, tokens, m.transport(m.roots()))
	if err != nil {
		return err
	}
	defer proxy.Close()
	door := launch.Private{Address: proxy.URL(), Token: proxy.Token()}
	env, taken := door.Clean(m.System, m.Environ())
	m.tellTaken(taken)
	if err := ctx.Err(); err != nil {
		return err // a signal that came before is not lost
	}
	ended, err := m.Attend(path, args, env)
	if err != nil {
		return notStarted(args[0], err)
	}
	_ = proxy.Close()
	ended.Follow()
	return programEnded(ended.Code)
}

// supply gives a client.Transport the tokens of the agent, or of the storage where
// there is none.
type supply struct {
	m *Main

	mu     sync.Mutex
	given  secret.Text
	origin string // of the first token: later ones are for no other
}

// Token returns a token that is not about to end. A transport asks again before
// the end of the last one only if that one was refused.
func (s *supply) Token(ctx context.Context) (client.Token, error) {
	s.mu.Lock()
	given := s.given
	s.mu.Unlock()
	t, err := s.get(ctx, secret.Hash{})
	if err == nil && !given.Empty() && t.Access.Equal(given) {
		t, err = s.get(ctx, given.Hash())
	}
	if err != nil {
		return client.Token{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.given = t.Access
	return client.NewToken(t.Access.Reveal(), t.Expires), nil
}

func (s *supply) get(ctx context.Context, refused secret.Hash) (agent.Token, error) {
	t, none, err := s.m.agentToken(ctx, refused)
	if none {
		t, err = s.fromStorage(ctx, refused)
	}
	if err != nil {
		return agent.Token{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.origin == "" {
		s.origin = t.Server
	}
	if t.Server != s.origin {
		return agent.Token{}, fault.New(fault.Conflict, "the sign-in was changed to another server while the program runs").WithHint("gatehouse status")
	}
	return t, nil
}

func (s *supply) fromStorage(ctx context.Context, refused secret.Hash) (agent.Token, error) {
	at, err := s.m.places()
	if err != nil {
		return agent.Token{}, err
	}
	if at.recall != nil {
		return agent.Token{}, at.signedOut(at.recall)
	}
	pair, err := s.m.source(at).PairAfter(ctx, refused)
	if err != nil {
		return agent.Token{}, at.signedOut(err)
	}
	if !credential.Printable(pair.Access) {
		return agent.Token{}, fault.New(fault.Invalid, "the stored access token is not printable")
	}
	return agent.Token{Access: pair.Access, Expires: pair.Expires, Server: at.known.Origin}, nil
}
