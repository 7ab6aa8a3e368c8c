package awsauth

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/direct"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/lease"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/origin"
)

// Config says how to get in. One of Bearer, Static and Ambient is set.
type Config struct {
	Region  string
	Service string // as in a signature's scope: "bedrock"

	Bearer  secret.Text
	KeyName string // of Bearer: "X-Api-Key"; "": Authorization: Bearer
	Static  Key
	Ambient bool

	Role     Role // assumed with Static or Ambient; zero: none
	STS      string
	Client   *http.Client // for STS and the chain; nil: the SDK's own
	Now      func() time.Time
	LoadFrom func(ctx context.Context, region string) (aws.CredentialsProvider, error) // of Ambient; nil: the default chain
}

// Key is the access key of an IAM user.
type Key struct {
	ID     string
	Secret secret.Text
}

// Role is a role that is assumed.
type Role struct {
	ARN        string
	ExternalID string // what the role's trust policy wants to see; "": nothing
	// PerMember gives every member a session of the role with the member's name
	// and tags, instead of one for all.
	PerMember bool
}

// Auth is an origin.Credential. Make it with New and Close it.
type Auth struct {
	cfg      Config
	signer   *v4.Signer
	base     *lease.Lease[aws.Credentials] // nil with a bearer key
	sessions *sessions                     // nil without a role
	ahead    atomic.Int64                  // how far AWS's clock is ahead of ours, in nanoseconds, as far as it matters
}

// New returns an Auth.
func New(cfg Config) (*Auth, error) {
	if cfg.Region == "" || cfg.Service == "" {
		return nil, fault.New(fault.Invalid, "a region is needed").At("region")
	}
	ways := 0
	for _, way := range []bool{!cfg.Bearer.Empty(), cfg.Static.ID != "", cfg.Ambient} {
		if way {
			ways++
		}
	}
	if ways != 1 {
		return nil, fault.New(fault.Invalid, "one way in is needed: a key, an access key, or the server's own credentials").At("credential")
	}
	a := &Auth{cfg: cfg, signer: v4.NewSigner()}
	switch {
	case !cfg.Bearer.Empty():
		return a, nil
	case cfg.Ambient:
		a.base = lease.New(a.ambient, cfg.Now)
	default:
		a.base = lease.New(a.static, cfg.Now)
	}
	if cfg.Role.ARN != "" {
		a.sessions = newSessions(a)
	}
	return a, nil
}

var _ origin.Credential = (*Auth)(nil)

// Close ends renewing.
func (a *Auth) Close() {
	if a.base != nil {
		a.base.Close()
	}
	if a.sessions != nil {
		a.sessions.close()
	}
}

// Status is how the credential stands; for a bearer key there is nothing to say.
func (a *Auth) Status() lease.Status {
	if a.sessions != nil {
		return a.sessions.status()
	}
	if a.base == nil {
		return lease.Status{}
	}
	return a.base.Status()
}

func (a *Auth) static(context.Context) (lease.Credential[aws.Credentials], error) {
	return lease.Credential[aws.Credentials]{Value: aws.Credentials{AccessKeyID: a.cfg.Static.ID, SecretAccessKey: a.cfg.Static.Secret.Reveal()}}, nil
}

var sign = []string{"Authorization", "X-Amz-Date", "X-Amz-Security-Token"}

// Fields are the headers that prove who asks. Errors are faults of ours, with
// nothing sent.
func (a *Auth) Fields(ctx context.Context, s origin.Sent) ([]direct.Field, error) {
	if !a.cfg.Bearer.Empty() {
		return a.bearer(), nil
	}
	credentials, err := a.credentials(ctx, s.Who)
	if err != nil {
		return nil, origin.Unready(ctx, "AWS", err)
	}
	request := &http.Request{Method: http.MethodPost, URL: s.URL, Host: s.URL.Host, ContentLength: int64(len(s.Body)),
		Header: http.Header{"Content-Type": {s.ContentType}}}
	sum := sha256.Sum256(s.Body)
	if err := a.signer.SignHTTP(ctx, credentials, request, hex.EncodeToString(sum[:]), a.cfg.Service, a.cfg.Region, a.cfg.Now().Add(time.Duration(a.ahead.Load()))); err != nil {
		return nil, origin.Unready(ctx, "AWS", err)
	}
	fields := []direct.Field{{Name: "X-Api-Key"}, {Name: "Content-Type", Values: request.Header["Content-Type"]}}
	for _, name := range sign {
		fields = append(fields, direct.Field{Name: name, Values: request.Header[name]})
	}
	return fields, nil
}

func (a *Auth) bearer() []direct.Field {
	if a.cfg.KeyName != "" {
		return []direct.Field{{Name: a.cfg.KeyName, Values: []string{a.cfg.Bearer.Reveal()}}, {Name: "Authorization"}}
	}
	return []direct.Field{{Name: "Authorization", Values: []string{"Bearer " + a.cfg.Bearer.Reveal()}}, {Name: "X-Api-Key"}}
}

func (a *Auth) credentials(ctx context.Context, who caller.Caller) (aws.Credentials, error) {
	if a.sessions != nil {
		return a.sessions.get(ctx, who)
	}
	return a.base.Get(ctx)
}

// Refused says that AWS did not take a credential that had been good: it is
// fetched anew. It reports whether that can help.
func (a *Auth) Refused(who caller.Caller) bool {
	if a.sessions != nil {
		a.sessions.refused(who)
		return true
	}
	if a.cfg.Ambient {
		a.base.Refused()
		return true
	}
	return false
}

const (
	tolerated = 4 * time.Minute // AWS takes signatures that are at most 5 minutes off
	farthest  = 24 * time.Hour
)

// Learn looks at AWS's clock where a signature was refused: one by a clock that is wrong
// is good for nothing. It reports whether that may have been the reason.
func (a *Auth) Learn(r *http.Response) bool {
	if a.base == nil || r.StatusCode != http.StatusForbidden && r.StatusCode != http.StatusBadRequest {
		return false
	}
	theirs, err := http.ParseTime(r.Header.Get("Date"))
	if err != nil {
		return false
	}
	ahead := theirs.Sub(a.cfg.Now())
	if ahead.Abs() > farthest || (ahead-time.Duration(a.ahead.Load())).Abs() < tolerated {
		return false
	}
	a.ahead.Store(int64(ahead))
	return true
}

// RanOut reports whether AWS refused a credential because its time is over.
func RanOut(r *http.Response) bool {
	return r.StatusCode == http.StatusForbidden && strings.HasPrefix(r.Header.Get("X-Amzn-Errortype"), "ExpiredToken")
}
