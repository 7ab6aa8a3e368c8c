package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"

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
	var heads []string
	c := &cobra.Command{Use: "verify", Short: "Prove that the record of activity is whole", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return m.shell(c, path, func(s *server.Server) error {
				proof, err := s.Verify(c.Context(), heads...)
				return m.verdict(proof, err, asJSON)
			})
		}}
	c.Flags().StringVar(&path, "config", "", "configuration file (YAML)")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.Flags().StringArrayVar(&heads, "head", nil, "file with an earlier head, kept elsewhere, that the record must contain (may be repeated)")
	addFlags(c.Flags(), shellKeys...)
	return c
}

type verdictJSON struct {
	OK          bool       `json:"ok"`
	Entries     int64      `json:"entries"`
	Erased      int64      `json:"erased"`
	Kept        []keptJSON `json:"kept_heads,omitempty"`
	FirstBroken *int64     `json:"first_broken,omitempty"`
	Error       string     `json:"error,omitempty"`
	Head        string     `json:"head,omitempty"`
}

type keptJSON struct {
	File    string `json:"file"`
	Entries int64  `json:"entries"`
}

func (m *Main) verdict(p server.Proof, err error, asJSON bool) error {
	if asJSON {
		v := verdictJSON{OK: err == nil, Entries: p.Entries, Erased: p.Erased, Head: p.Head}
		for _, k := range p.Kept {
			v.Kept = append(v.Kept, keptJSON{k.File, k.Entries})
		}
		if err != nil {
			v.Error = err.Error()
		}
		if broken, ok := errors.AsType[*audit.BrokenError](err); ok {
			v.FirstBroken = &broken.Index
		}
		return errors.Join(err, json.NewEncoder(m.Stdout).Encode(v))
	}
	if _, ok := errors.AsType[*audit.BrokenError](err); ok {
		return fmt.Errorf("the record does not hold: %w", err)
	}
	if err != nil {
		return fmt.Errorf("the record could not be proven: %w", err)
	}
	var text strings.Builder
	fmt.Fprintf(&text, "The record holds: %d entries, %d of them with their detail erased.\n", p.Entries, p.Erased)
	for _, k := range p.Kept {
		fmt.Fprintf(&text, "It contains the %d entries of the head kept in %s.\n", k.Entries, k.File)
	}
	if len(p.Kept) == 0 {
		text.WriteString("No earlier head was there to compare it with.\n")
	}
	fmt.Fprintf(&text, "Its signed head, to be kept elsewhere and given to --head later:\n\n%s", p.Head)
	_, err = m.Stdout.Write([]byte(text.String()))
	return err
}
