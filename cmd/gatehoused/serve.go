package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/server"
	"github.com/spf13/cobra"
)

func (m *Main) serveCommand() *cobra.Command {
	var path string
	c := &cobra.Command{Use: "serve", Short: "Serve an organization", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			f, err := m.load(path, c.Flags())
			if err != nil {
				return err
			}
			cfg, err := m.config(f)
			if err != nil {
				return err
			}
			s, err := server.Open(c.Context(), cfg)
			if err != nil {
				return err
			}
			if err := m.welcome(c.Context(), s); err != nil {
				return errors.Join(err, s.Close())
			}
			return errors.Join(s.Run(c.Context()), s.Close())
		}}
	c.Flags().StringVar(&path, "config", "", "configuration file (YAML)")
	c.Flags().String("trusted-proxies", "", "networks whose X-Forwarded-For is believed, with commas between")
	addFlags(c.Flags())
	return c
}

// welcome says where the server is, and how the first owner gets in.
func (m *Main) welcome(ctx context.Context, s *server.Server) error {
	fmt.Fprintf(m.Stderr, "Gatehouse %s is serving %s\n", version, s.URL())
	needs, err := s.Rooms().Accounts.NeedsSetup(ctx)
	if err != nil || !needs {
		return err
	}
	link, err := s.Rooms().Accounts.MakeSetupLink(ctx, caller.OfOperator(""))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(m.Stderr, "Nobody has an account yet. Create the first owner here, once, within 24 hours:\n\n  %s/setup/%s\n\n", s.URL(), link.Reveal())
	return err
}
