package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/server"
	"github.com/spf13/cobra"
)

// shellKeys are the settings that commands of the server's shell need.
var shellKeys = []string{"data_dir", "database", "public_url", "listen", "master_key_file"}

// shell opens the services for a command, and closes them after it.
func (m *Main) shell(c *cobra.Command, path string, f func(*server.Server) error) (err error) {
	settings, err := m.load(path, c.Flags())
	if err != nil {
		return err
	}
	cfg, err := m.config(settings)
	if err != nil {
		return err
	}
	cfg.Log = slog.New(slog.DiscardHandler)
	s, err := server.OpenShell(c.Context(), cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return f(s)
}

func (m *Main) verifyCommand() *cobra.Command {
	var path string
	var asJSON bool
	c := &cobra.Command{Use: "verify", Short: "Prove that the record of activity is whole", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return m.shell(c, path, func(s *server.Server) error {
				proof, err := s.Verify(c.Context())
				return m.verdict(proof, err, asJSON)
			})
		}}
	c.Flags().StringVar(&path, "config", "", "configuration file (YAML)")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	addFlags(c.Flags(), shellKeys...)
	return c
}

type verdictJSON struct {
	OK          bool   `json:"ok"`
	Entries     int64  `json:"entries"`
	FirstBroken *int64 `json:"first_broken,omitempty"`
	Error       string `json:"error,omitempty"`
	Head        string `json:"head,omitempty"`
}

func (m *Main) verdict(p server.Proof, err error, asJSON bool) error {
	if asJSON {
		v := verdictJSON{OK: err == nil, Entries: p.Entries, Head: p.Head}
		if err != nil {
			v.Error = err.Error()
		}
		if broken, ok := errors.AsType[*audit.BrokenError](err); ok {
			v.FirstBroken = &broken.Index
		}
		return errors.Join(err, json.NewEncoder(m.Stdout).Encode(v))
	}
	if err != nil {
		return fmt.Errorf("the record does not hold: %w", err)
	}
	_, err = fmt.Fprintf(m.Stdout, "The record holds: %d entries, and their signed head:\n\n%s", p.Entries, p.Head)
	return err
}
