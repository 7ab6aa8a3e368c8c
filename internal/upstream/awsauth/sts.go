package awsauth

import (
	"cmp"
	"container/list"
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/lease"
)

// ambient asks the default chain.
func (a *Auth) ambient(ctx context.Context) (lease.Credential[aws.Credentials], error) {
	load := a.cfg.LoadFrom
	if load == nil {
		load = a.chain
	}
	provider, err := load(ctx, a.cfg.Region)
	if err != nil {
		return lease.Credential[aws.Credentials]{}, fmt.Errorf("reading the configuration of AWS: %w", err)
	}
	got, err := provider.Retrieve(ctx)
	if err != nil {
		return lease.Credential[aws.Credentials]{}, fmt.Errorf("finding a credential of AWS: %w", err)
	}
	return credential(got), nil
}

func (a *Auth) chain(ctx context.Context, region string) (aws.CredentialsProvider, error) {
	options := []func(*config.LoadOptions) error{config.WithRegion(region)}
	if a.cfg.Client != nil {
		options = append(options, config.WithHTTPClient(a.cfg.Client))
	}
	loaded, err := config.LoadDefaultConfig(ctx, options...)
	return loaded.Credentials, err
}

func credential(c aws.Credentials) lease.Credential[aws.Credentials] {
	out := lease.Credential[aws.Credentials]{Value: c}
	if c.CanExpire {
		out.Expires = c.Expires
	}
	return out
}

// maxSessions bounds how many members have a session of a role at once. One that
// is pushed out is got again.
const maxSessions = 4096

// sessions are the sessions of a role, by who they are for.
type sessions struct {
	auth *Auth

	mu    sync.Mutex
	byWho map[string]*list.Element
	order *list.List // of *session, the last used first
	last  *session
}

type session struct {
	whose string
	lease *lease.Lease[aws.Credentials]
}

func newSessions(a *Auth) *sessions {
	return &sessions{auth: a, byWho: map[string]*list.Element{}, order: list.New()}
}

func (s *sessions) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for e := s.order.Front(); e != nil; e = e.Next() {
		e.Value.(*session).lease.Close()
	}
	s.byWho, s.order = map[string]*list.Element{}, list.New()
}

func (s *sessions) status() lease.Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last == nil {
		return lease.Status{}
	}
	return s.last.lease.Status()
}

func (s *sessions) get(ctx context.Context, who caller.Caller) (aws.Credentials, error) {
	return s.of(who).lease.Get(ctx)
}

func (s *sessions) refused(who caller.Caller) {
	s.of(who).lease.Refused()
}

func (s *sessions) of(who caller.Caller) *session {
	name, whose := "gatehouse", "" // names may be cut: a session belongs to a principal
	if s.auth.cfg.Role.PerMember {
		name, whose = SessionName(who), who.Principal()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.byWho[whose]; e != nil {
		s.order.MoveToFront(e)
		s.last = e.Value.(*session)
		return s.last
	}
	made := &session{whose: whose}
	made.lease = lease.New(func(ctx context.Context) (lease.Credential[aws.Credentials], error) {
		return s.assume(ctx, name, who)
	}, s.auth.cfg.Now)
	s.byWho[whose] = s.order.PushFront(made)
	for s.order.Len() > maxSessions {
		oldest := s.order.Remove(s.order.Back()).(*session)
		oldest.lease.Close()
		delete(s.byWho, oldest.whose)
	}
	s.last = made
	return made
}

func (s *sessions) assume(ctx context.Context, name string, who caller.Caller) (lease.Credential[aws.Credentials], error) {
	cfg := s.auth.cfg
	base, err := s.auth.base.Get(ctx)
	if err != nil {
		return lease.Credential[aws.Credentials]{}, err
	}
	options := sts.Options{Region: cfg.Region, Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return base, nil })}
	if cfg.STS != "" {
		options.BaseEndpoint = &cfg.STS
	}
	if cfg.Client != nil {
		options.HTTPClient = cfg.Client
	}
	in := &sts.AssumeRoleInput{RoleArn: &cfg.Role.ARN, RoleSessionName: &name}
	if cfg.Role.ExternalID != "" {
		in.ExternalId = &cfg.Role.ExternalID
	}
	if cfg.Role.PerMember {
		in.Tags = tags(who)
	}
	out, err := sts.New(options).AssumeRole(ctx, in)
	if err != nil {
		return lease.Credential[aws.Credentials]{}, fmt.Errorf("assuming the role: %w", err)
	}
	c := out.Credentials
	if c == nil || c.AccessKeyId == nil || c.SecretAccessKey == nil || c.SessionToken == nil || c.Expiration == nil {
		return lease.Credential[aws.Credentials]{}, fmt.Errorf("assuming the role: AWS answered without a credential")
	}
	return credential(aws.Credentials{AccessKeyID: *c.AccessKeyId, SecretAccessKey: *c.SecretAccessKey, SessionToken: *c.SessionToken,
		CanExpire: true, Expires: c.Expiration.Round(0).Add(-time.Second)}), nil
}

// SessionName is the name of a role's session for a caller: the member's address,
// where it is known, in the characters that AWS allows ([\w+=,.@-]{2,64}).
func SessionName(who caller.Caller) string {
	name := cmp.Or(who.Email, string(who.Member), string(who.Key), "gatehouse")
	name = strings.Map(func(r rune) rune {
		if (r >= 'a' && r <= 'z') || (r >= 'A' && r <= 'Z') || (r >= '0' && r <= '9') || strings.ContainsRune("_+=,.@-", r) {
			return r
		}
		return '-'
	}, name)
	if len(name) < 2 {
		name += "--"
	}
	return name[:min(len(name), 64)]
}

// tags are the session's tags, which the bill can be split by.
func tags(who caller.Caller) []types.Tag {
	var all []types.Tag
	for _, t := range [][2]string{{"gatehouse-member", string(who.Member)}, {"gatehouse-organization", string(who.Organization)}, {"gatehouse-workspace", string(who.Workspace)}} {
		if t[1] != "" {
			all = append(all, types.Tag{Key: &t[0], Value: &t[1]})
		}
	}
	return all
}
