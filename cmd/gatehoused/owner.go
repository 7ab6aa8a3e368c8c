package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/apikey"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/server"
	"github.com/spf13/cobra"
)

// ownerOptions say on whom an owner command acts.
type ownerOptions struct {
	config, organization, email string
}

func (m *Main) ownerCommand() *cobra.Command {
	var o ownerOptions
	c := &cobra.Command{Use: "owner", Short: "Get in from the server's shell when nobody can sign in"}
	c.PersistentFlags().StringVar(&o.config, "config", "", "configuration file (YAML)")
	c.PersistentFlags().StringVar(&o.organization, "organization", "", "id of the organization, if there are several")
	addFlags(c.PersistentFlags(), shellKeys...)
	c.AddCommand(m.ownerLink(&o), m.ownerKey(&o), m.ownerRevoke(&o), m.ownerRotate(&o), m.ownerOutbox(&o), m.ownerFactors(&o))
	return c
}

func (m *Main) ownerLink(o *ownerOptions) *cobra.Command {
	c := &cobra.Command{Use: "link", Short: "Print a one-time link that signs the owner, or another member, in", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return m.shell(c, o.config, func(s *server.Server) error {
				link, err := o.link(c, s)
				if err == nil {
					_, err = fmt.Fprintln(m.Stdout, link)
				}
				return err
			})
		}}
	c.Flags().StringVar(&o.email, "email", "", "whom to sign in (the primary owner)")
	return c
}

func (o *ownerOptions) link(c *cobra.Command, s *server.Server) (string, error) {
	ctx, rooms := c.Context(), s.Rooms()
	if needs, err := rooms.Accounts.NeedsSetup(ctx); err != nil {
		return "", err
	} else if needs {
		link, err := rooms.Accounts.MakeSetupLink(ctx, caller.OfOperator(""))
		return s.URL() + "/setup/" + link.Reveal(), err
	}
	member, err := o.member(c, s)
	if err != nil {
		return "", err
	}
	link, err := rooms.Accounts.MakeSignInLink(ctx, caller.OfOperator(member.Organization), member.Organization, member.ID, false)
	return s.URL() + "/link/" + link.Reveal(), err
}

// member is whom the flags name: the primary owner if they name nobody.
func (o *ownerOptions) member(c *cobra.Command, s *server.Server) (org.Member, error) {
	operator := caller.OfOperator("")
	orgs, err := s.Rooms().Orgs.All(c.Context(), operator)
	if err != nil {
		return org.Member{}, err
	}
	if o.organization == "" && len(orgs) > 1 {
		return org.Member{}, usageError{fmt.Errorf("there are %d organizations: name one with --organization", len(orgs))}
	}
	for _, one := range orgs {
		if o.organization != "" && string(one.ID) != o.organization {
			continue
		}
		f := org.MemberFilter{Email: o.email}
		if o.email == "" {
			f.Roles = []access.Role{access.PrimaryOwner}
		}
		members, _, err := s.Rooms().Orgs.Members(c.Context(), operator, one.ID, f)
		if err != nil {
			return org.Member{}, err
		}
		for _, member := range members {
			if o.email == "" || member.Email == strings.ToLower(o.email) {
				return member, nil
			}
		}
	}
	return org.Member{}, fault.New(fault.NotFound, "there is no such organization or member")
}

func (m *Main) ownerKey(o *ownerOptions) *cobra.Command {
	var name string
	var admin bool
	var life time.Duration
	c := &cobra.Command{Use: "key", Short: "Print a new API key of the owner or another member, or an admin key", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return m.shell(c, o.config, func(s *server.Server) error {
				member, err := o.member(c, s)
				if err != nil {
					return err
				}
				var expires time.Time
				if life > 0 {
					expires = time.Now().Add(life)
				}
				var value secret.Text
				who := caller.OfOperator(member.Organization)
				if admin {
					_, value, err = s.Rooms().Keys.CreateAdmin(c.Context(), who, member.Organization, apikey.New{Name: name, ExpiresAt: expires})
				} else {
					_, value, err = s.Rooms().Keys.CreateFor(c.Context(), who, member.Organization, member.ID, name, expires)
				}
				if err == nil {
					_, err = fmt.Fprintln(m.Stdout, value.Reveal())
				}
				return err
			})
		}}
	c.Flags().StringVar(&o.email, "email", "", "whose key (the primary owner's)")
	c.Flags().StringVar(&name, "name", "Made in the server's shell", "name of the key")
	c.Flags().BoolVar(&admin, "admin", false, "make an admin key")
	c.Flags().DurationVar(&life, "expires-in", 24*time.Hour, "how long it works; 0: for good")
	return c
}

func (m *Main) ownerRevoke(o *ownerOptions) *cobra.Command {
	return &cobra.Command{Use: "revoke ID", Short: "Cut off a key (apikey_…), a device session (devs_…) or a member (user_…)", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return m.shell(c, o.config, func(s *server.Server) error {
				if err := o.revoke(c, s, args[0]); err != nil {
					return err
				}
				_, err := fmt.Fprintln(m.Stderr, "Cut off: every node refuses it within a second.")
				return err
			})
		}}
}

func (o *ownerOptions) revoke(c *cobra.Command, s *server.Server, what string) error {
	owner, err := (&ownerOptions{organization: o.organization}).member(c, s)
	if err != nil {
		return err
	}
	ctx, who, rooms := c.Context(), caller.OfOperator(owner.Organization), s.Rooms()
	switch {
	case strings.HasPrefix(what, "apikey_"):
		status := apikey.Archived
		_, err = rooms.Keys.Update(ctx, who, owner.Organization, id.APIKey(what), apikey.Change{Status: &status})
		return err
	case strings.HasPrefix(what, "devs_"):
		return rooms.Sessions.End(ctx, who, owner.Organization, id.DeviceSession(what))
	case strings.HasPrefix(what, "user_"):
		return rooms.Orgs.Suspend(ctx, who, owner.Organization, id.Member(what))
	}
	return usageError{fmt.Errorf("the id of a key (apikey_…), a device session (devs_…) or a member (user_…) is needed, never a key itself")}
}

func (m *Main) ownerFactors(o *ownerOptions) *cobra.Command {
	c := &cobra.Command{Use: "reset-factors", Short: "Remove every second factor of the owner, or another member, who has lost them", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return m.shell(c, o.config, func(s *server.Server) error {
				member, err := o.member(c, s)
				if err != nil {
					return err
				}
				if err := s.Rooms().Accounts.RemoveFactors(c.Context(), caller.OfOperator(member.Organization), member.Account); err != nil {
					return err
				}
				_, err = fmt.Fprintf(m.Stderr, "%s has no second factor any more: passkeys, authenticator app and recovery codes are gone. A password or a link (gatehoused owner link) gets them in.\n", member.Email)
				return err
			})
		}}
	c.Flags().StringVar(&o.email, "email", "", "whose second factors (the primary owner's)")
	return c
}

func (m *Main) ownerRotate(o *ownerOptions) *cobra.Command {
	return &cobra.Command{Use: "rotate", Short: "Replace the key that signs access tokens; those that are out stay good", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return m.shell(c, o.config, func(s *server.Server) error {
				if err := s.RotateSigningKey(c.Context(), caller.OfOperator("")); err != nil {
					return err
				}
				_, err := fmt.Fprintln(m.Stderr, "A new key signs access tokens in two minutes; tokens that are out stay good until they expire.")
				return err
			})
		}}
}
