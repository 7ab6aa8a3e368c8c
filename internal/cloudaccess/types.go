package cloudaccess

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// Cloud is where models are reached.
type Cloud string

const (
	AWS    Cloud = "aws"
	Google Cloud = "gcp"
	Azure  Cloud = "azure"
)

// Clouds lists them in the order in which they are preferred.
func Clouds() []Cloud { return []Cloud{AWS, Google, Azure} }

// ParseCloud reads a cloud's name. It fails with NotFound.
func ParseCloud(name string) (Cloud, error) {
	for _, c := range Clouds() {
		if string(c) == name {
			return c, nil
		}
	}
	return "", fault.New(fault.NotFound, "there is no cloud of that name")
}

// Access is how members of an organization reach one cloud.
type Access struct {
	Organization id.Organization
	Cloud        Cloud
	Group        id.Group // whose members may; empty: everybody who may use models
	Settings     Settings
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

// Settings are where at its cloud an organization is. Which of them count depends on
// the cloud. There is no secret among them.
type Settings struct {
	Region string `json:"region,omitempty"` // of AWS and Google Cloud

	RoleARN string `json:"role_arn,omitempty"` // of AWS: what members assume
	Hours   int    `json:"hours,omitempty"`    // how long a session of the role lasts; 0: one

	Project       string `json:"project,omitempty"`        // of Google Cloud: its id
	ProjectNumber string `json:"project_number,omitempty"` // and its number
	Pool          string `json:"pool,omitempty"`           // of workload identities
	Provider      string `json:"provider,omitempty"`       // in the pool
	Account       string `json:"account,omitempty"`        // a service account that is taken on; empty: none

	Tenant   string `json:"tenant,omitempty"`   // of Entra
	Client   string `json:"client,omitempty"`   // the app registration; empty: it is not made yet
	Resource string `json:"resource,omitempty"` // of Foundry
}

// Audience is whom identity tokens for the cloud are for.
func (a Access) Audience() string {
	switch in := a.Settings; a.Cloud {
	case AWS:
		return "sts.amazonaws.com"
	case Google:
		return "//iam.googleapis.com/" + in.pool() + "/providers/" + in.Provider
	default:
		return "api://AzureADTokenExchange"
	}
}

// pool is the full name of a pool of workload identities.
func (s Settings) pool() string {
	return "projects/" + s.ProjectNumber + "/locations/global/workloadIdentityPools/" + s.Pool
}

// Ready reports whether the cloud's side is known far enough for members.
func (a Access) Ready() bool { return a.Cloud != Azure || a.Settings.Client != "" }

// Life is how long a session of the role at AWS lasts.
func (s Settings) Life() time.Duration { return time.Duration(cmp.Or(s.Hours, 1)) * time.Hour }

// Subject is the "sub" of a member's tokens for the cloud. Entra trusts one subject
// exactly, and few of them: there it is the organization's.
func (a Access) Subject(m id.Member) string {
	if a.Cloud == Azure {
		return "organization:" + string(a.Organization)
	}
	return string(m)
}

// Issuer is the "iss" of an organization's tokens, below the server's public URL.
func Issuer(base string, o id.Organization) string { return base + "/oidc/" + string(o) }

// Token is an identity token.
type Token struct {
	Value   secret.Text
	Expires time.Time
}

// Store is what the package needs stored.
type Store interface {
	// Accesses returns an organization's, in no order.
	Accesses(ctx context.Context, o id.Organization) ([]Access, error)
	// Set adds an access, or changes the one of its organization and cloud; CreatedAt
	// stays what it was.
	Set(ctx context.Context, a Access, e audit.Event) error
	// Remove fails with NotFound if there is none.
	Remove(ctx context.Context, o id.Organization, c Cloud, e audit.Event) error
	// Record keeps that something happened.
	Record(ctx context.Context, e audit.Event) error
}

// roleParts are those of a role's ARN, or of a role of a usual name.
func (s Settings) roleParts() (partition, account, path, name string) {
	parts := strings.SplitN(s.RoleARN, ":", 6)
	if len(parts) != 6 {
		return "aws", "", "/", "gatehouse"
	}
	_, named, _ := strings.Cut(parts[5], "/")
	cut := strings.LastIndexByte(named, '/') + 1
	return parts[1], parts[4], "/" + named[:cut], named[cut:]
}
