package aws

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/source"
)

const (
	relative = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
	full     = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
	disabled = "AWS_EC2_METADATA_DISABLED"
)

func (s Source) hasContainer() bool {
	return s.Machine.Getenv(relative) != "" || s.Machine.Getenv(full) != ""
}

func (s Source) aboutContainer() source.About {
	return about("the credential endpoint of this container", "the AWS account of the container's role")
}

// container asks the endpoint of ECS or EKS. Its address comes out of the
// environment: only https, this machine or its link get the token.
func (s Source) container(ctx context.Context) (source.Credential, error) {
	r := source.Request{URL: s.Machine.Getenv(full), Header: map[string]string{}}
	if path := s.Machine.Getenv(relative); path != "" {
		if !strings.HasPrefix(path, "/") {
			return source.Credential{}, fault.New(fault.Invalid, "%s is not a path", relative).WithHint("unset " + relative)
		}
		r.URL = orElse(s.Container, "http://169.254.170.2") + path
	}
	r.Metadata = strings.HasPrefix(strings.ToLower(r.URL), "http://")
	token, err := s.containerToken()
	if err != nil {
		return source.Credential{}, err
	}
	if token != "" {
		r.Header["Authorization"] = token
	}
	return s.ask(ctx, s.aboutContainer(), r)
}

func (s Source) containerToken() (string, error) {
	token := s.Machine.Getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN")
	if path := s.Machine.Getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"); path != "" {
		raw, _, err := s.Machine.File(path)
		if err != nil {
			return "", err
		}
		token = strings.TrimSpace(string(raw))
	}
	if strings.ContainsFunc(token, func(r rune) bool { return r < ' ' || r > '~' }) {
		return "", fault.New(fault.Invalid, "the authorization token of this container is not one line of ASCII")
	}
	return token, nil
}

func (s Source) mayBeInstance() bool { return !s.Machine.On(disabled) }

// instance asks the metadata service of EC2, version 2: a token first, then the
// name of the role, then its keys. Where nothing answers there is none.
func (s Source) instance(ctx context.Context) (source.Credential, error) {
	base := orElse(s.Instance, "http://169.254.169.254") + "/latest"
	token, err := s.Machine.Fetch(ctx, source.Request{Method: http.MethodPut, URL: base + "/api/token", Metadata: true,
		Header: map[string]string{"X-aws-ec2-metadata-token-ttl-seconds": "60"}})
	if fault.Is(err, fault.Unavailable) || fault.Is(err, fault.Timeout) || err == nil && token.Status != http.StatusOK {
		return source.Credential{}, source.None("this is no instance of EC2")
	}
	if err != nil {
		return source.Credential{}, err
	}
	if !line(string(token.Body)) {
		return source.Credential{}, fault.New(fault.Unavailable, "the metadata service gave no token that can be used")
	}
	header := map[string]string{"X-aws-ec2-metadata-token": string(token.Body)}
	roles := base + "/meta-data/iam/security-credentials/"
	role, err := s.Machine.Fetch(ctx, source.Request{URL: roles, Header: header, Metadata: true})
	if err != nil {
		return source.Credential{}, err
	}
	name, _, _ := strings.Cut(string(role.Body), "\n")
	if role.Status != http.StatusOK || !line(name) {
		return source.Credential{}, source.None("this instance has no role")
	}
	return s.ask(ctx, about("the metadata service of this instance (role "+name+")", "the AWS account of the instance's role"),
		source.Request{URL: roles + url.PathEscape(name), Header: header, Metadata: true})
}

// line reports whether a text is a word that may stand in a header or a path.
func line(s string) bool {
	return s != "" && len(s) <= 1024 && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || r == '<' })
}

func (s Source) ask(ctx context.Context, about source.About, r source.Request) (source.Credential, error) {
	answer, err := s.Machine.Fetch(ctx, r)
	if err != nil {
		return source.Credential{}, err
	}
	var any struct{}
	if err := answer.Decode(&any, mend); err != nil {
		return source.Credential{}, err
	}
	keys, expires, err := parseExport(answer.Body)
	if err != nil {
		return source.Credential{}, fault.New(fault.Unavailable, "the answer of %s cannot be used, because %w", about.Origin, err)
	}
	about.Expires = expires
	return source.Credential{About: about, Scheme: source.SigV4, Keys: keys}, nil
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
