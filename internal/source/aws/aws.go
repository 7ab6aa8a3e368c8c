package aws

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/source"
)

// Source is the credential for Bedrock. Machine is required.
type Source struct {
	Machine source.Machine
	// Container and Instance are the metadata endpoints of ECS and of EC2; empty
	// are the real ones.
	Container, Instance string
}

var _ source.Source = Source{}

const defaultLimit = time.Minute

func (s Source) limit() time.Duration {
	ms, err := strconv.ParseInt(s.Machine.Getenv("CLAUDE_CODE_AWS_CHAIN_RESOLVE_TIMEOUT_MS"), 10, 64)
	if err != nil || ms <= 0 || ms > time.Hour.Milliseconds() {
		return defaultLimit
	}
	return time.Duration(ms) * time.Millisecond
}

// Profile is the profile that is meant: AWS_PROFILE, or "default".
func (s Source) Profile() string {
	if p := s.Machine.Getenv("AWS_PROFILE"); p != "" {
		return p
	}
	return "default"
}

// SignIn is the command of AWS that signs a person in again.
func (s Source) SignIn() []string {
	argv := []string{"aws", "sso", "login"}
	if p := s.Machine.Getenv("AWS_PROFILE"); p != "" {
		argv = append(argv, "--profile", p)
	}
	return argv
}

const mend = "aws sso login"

// step is one link of the chain. A step that is not there fails with NotFound.
type step struct {
	there func() bool
	about func() source.About
	get   func(context.Context) (source.Credential, error)
}

// Find names the first link of the chain that is set up. What only the network
// could tell, the metadata service of EC2, is not among them.
func (s Source) Find(context.Context) (source.About, bool) {
	for _, step := range s.chain() {
		if step.there() {
			return step.about(), true
		}
	}
	return source.About{}, false
}

// Credential is what the first link of the chain gives that has something.
func (s Source) Credential(ctx context.Context) (source.Credential, error) {
	ctx, stop := s.Machine.Wait.Limit(ctx, s.limit())
	defer stop()
	links := append(s.chain(), step{there: s.mayBeInstance, get: s.instance})
	for _, step := range links {
		if !step.there() {
			continue
		}
		c, err := step.get(ctx)
		if err == nil {
			return source.Ready(c, s.Machine.Now(), mend)
		}
		if !fault.Is(err, fault.NotFound) {
			return source.Credential{}, inTime(ctx, s.limit(), err)
		}
	}
	return source.Credential{}, source.None("there is no credential for AWS")
}

// inTime says that the chain's own limit was the reason.
func inTime(ctx context.Context, limit time.Duration, err error) error {
	if errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
		return fault.Wrap(fault.Timeout, err, "AWS gave no credential within "+limit.String()).WithHint(mend)
	}
	return err
}

func (s Source) chain() []step {
	files := s.files()
	return []step{
		{s.hasKey, s.aboutKey, s.key},
		{s.hasVariables, s.aboutVariables, s.variables},
		{files.hasKeys, files.about, files.keys},
		{func() bool { return files.forTool() && s.Machine.Has("aws") }, s.aboutTool, s.tool},
		{files.hasProcess, files.about, files.process},
		{s.hasContainer, s.aboutContainer, s.container},
	}
}

func about(origin, payer string) source.About {
	return source.About{Kind: source.AWS, Origin: origin, Payer: payer}
}

const bearer = "AWS_BEARER_TOKEN_BEDROCK"

func (s Source) hasKey() bool { return s.Machine.Getenv(bearer) != "" }

func (s Source) aboutKey() source.About {
	return about("the variable "+bearer, "the AWS account that the key of Bedrock belongs to")
}

func (s Source) key(context.Context) (source.Credential, error) {
	return source.Credential{About: s.aboutKey(), Scheme: source.Bearer, Value: secret.New(s.Machine.Getenv(bearer))}, nil
}

// A profile that is named wins over keys in the environment, as in the SDK that
// Claude Code uses.
func (s Source) hasVariables() bool {
	return s.Machine.Getenv("AWS_ACCESS_KEY_ID") != "" && s.Machine.Getenv("AWS_SECRET_ACCESS_KEY") != "" && s.Machine.Getenv("AWS_PROFILE") == ""
}

func (s Source) aboutVariables() source.About {
	return about("the variable AWS_ACCESS_KEY_ID", "the AWS account that the keys belong to")
}

func (s Source) variables(context.Context) (source.Credential, error) {
	get := s.Machine.Getenv
	return source.Credential{About: s.aboutVariables(), Scheme: source.SigV4,
		Keys: source.Keys{ID: get("AWS_ACCESS_KEY_ID"), Secret: secret.New(get("AWS_SECRET_ACCESS_KEY")), Session: secret.New(get("AWS_SESSION_TOKEN"))}}, nil
}

func (s Source) aboutTool() source.About {
	return about("aws configure export-credentials (profile "+s.Profile()+")", "the AWS account of the profile "+s.Profile())
}

// usageOfVersion1 is the exit code of version 1 of the tool for a subcommand that
// it does not know; that of version 2 is 252.
const usageOfVersion1 = 2

func (s Source) tool(ctx context.Context) (source.Credential, error) {
	argv := []string{"aws", "configure", "export-credentials", "--format", "process"}
	if p := s.Machine.Getenv("AWS_PROFILE"); p != "" {
		argv = append(argv, "--profile", p)
	}
	out, err := s.Machine.Command(ctx, s.limit(), mend, argv...)
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Code == source.ExitCode(usageOfVersion1) {
		if files := s.files(); files.hasProcess() {
			return files.process(ctx)
		}
		return source.Credential{}, fault.New(fault.Unsupported, "the aws on this machine is of version 1, which cannot export credentials; version 2 can").
			WithHint("aws --version")
	}
	if err != nil {
		return source.Credential{}, err
	}
	return printed(s.aboutTool(), out, "aws configure export-credentials")
}

// printed reads what a program gave.
func printed(about source.About, out secret.Text, name string) (source.Credential, error) {
	keys, expires, err := parseExport([]byte(out.Reveal()))
	if err != nil {
		return source.Credential{}, fault.New(fault.Invalid, "what %s printed cannot be used, because %w", name, err).WithHint(mend)
	}
	about.Expires = expires
	return source.Credential{About: about, Scheme: source.SigV4, Keys: keys}, nil
}
