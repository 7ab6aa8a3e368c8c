package exchange

import (
	"context"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/login"
	"github.com/gatehouse-dev/gatehouse/internal/source"
)

// Source is the credential of one cloud. All fields are required.
type Source struct {
	Machine source.Machine
	Cloud   login.Cloud
	// Identity gives an identity token for an audience (login.Client.Identity).
	Identity func(ctx context.Context, audience string) (login.Identity, error)
}

var _ source.Source = Source{}

const mend = "gatehouse login"

// Find says where the credential comes from.
func (s Source) Find(context.Context) (source.About, bool) {
	switch s.Cloud.Cloud {
	case login.AWS:
		return source.About{Kind: source.AWS, Origin: "the sign-in, as the role " + s.Cloud.RoleARN, Payer: "the AWS account of the role"}, true
	case login.Google:
		return source.About{Kind: source.Google, Origin: "the sign-in, in the project " + s.Cloud.Project, Payer: "the project " + s.Cloud.Project}, true
	case login.Azure:
		return source.About{Kind: source.Azure, Origin: "the sign-in, as the app registration " + s.Cloud.Client, Payer: "the Foundry resource " + s.Cloud.Resource}, true
	}
	return source.About{}, false
}

// Credential makes the exchange.
func (s Source) Credential(ctx context.Context) (source.Credential, error) {
	about, known := s.Find(ctx)
	if !known {
		return source.Credential{}, fault.New(fault.Unsupported, "this version does not know the cloud that the server names").WithHint("gatehouse version")
	}
	token, err := s.Identity(ctx, s.Cloud.Audience)
	if err != nil {
		return source.Credential{}, err
	}
	c := source.Credential{About: about, Scheme: source.Bearer}
	switch s.Cloud.Cloud {
	case login.AWS:
		c.Scheme = source.SigV4
		c.Keys, c.Expires, err = s.aws(ctx, token.Token)
	case login.Google:
		c.Value, c.Expires, err = s.google(ctx, token.Token)
	default:
		c.Value, c.Expires, err = s.azure(ctx, token.Token)
	}
	if err != nil {
		return source.Credential{}, err
	}
	return source.Ready(c, s.Machine.Now(), mend)
}
