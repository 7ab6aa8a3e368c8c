package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/server"
	"github.com/spf13/cobra"
)

// demoOptions are the flags of the demo.
type demoOptions struct {
	listen, data, database   string
	upstreamURL, upstreamKey string
	accessTTL                time.Duration
	asJSON                   bool
}

func (m *Main) demoCommand() *cobra.Command {
	var o demoOptions
	c := &cobra.Command{Use: "demo", Short: "Serve a sample organization with a simulated model", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return m.demo(c, o) }}
	f := c.Flags()
	f.StringVar(&o.listen, "listen", "127.0.0.1:8080", "address to listen on")
	f.StringVar(&o.data, "data", "", "data folder (a temporary one, removed at the end)")
	f.StringVar(&o.database, "database", "", "postgres://… (SQLite in the data folder)")
	f.StringVar(&o.upstreamURL, "upstream-url", "", "where models answer (a simulated model: nothing leaves the machine)")
	f.StringVar(&o.upstreamKey, "upstream-key", "", "API key for --upstream-url; or GATEHOUSE_UPSTREAM_KEY")
	f.DurationVar(&o.accessTTL, "access-token-ttl", time.Hour, "life of access tokens")
	f.BoolVar(&o.asJSON, "json", false, "print one line of JSON instead of instructions")
	return c
}

func (m *Main) demo(c *cobra.Command, o demoOptions) (err error) {
	if o.accessTTL <= 0 || o.accessTTL > time.Hour {
		return usageError{errors.New("--access-token-ttl must be more than nothing and at most 1h")}
	}
	if o.upstreamKey == "" {
		o.upstreamKey = m.Getenv("GATEHOUSE_UPSTREAM_KEY")
	}
	if (o.upstreamURL == "") != (o.upstreamKey == "") {
		return usageError{errors.New("--upstream-url and --upstream-key are needed together")}
	}
	if o.data == "" {
		if o.data, err = os.MkdirTemp("", "gatehouse-demo-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(o.data)) }()
	}
	log, err := m.logger(orDefault(m.Getenv("GATEHOUSE_LOG_LEVEL"), "warn"), m.Getenv("GATEHOUSE_LOG_FORMAT"))
	if err != nil {
		return err
	}
	s, err := server.Open(c.Context(), server.Config{Listen: o.listen, DataDir: o.data, Database: o.database, AccessTTL: o.accessTTL,
		MetricsOpen: true, DeviceAuthorizations: 300, Demo: true, AllowLocal: true, Version: version, Log: log, MasterKey: secret.New(m.Getenv("GATEHOUSE_MASTER_KEY"))})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	sample, err := s.MakeSample(c.Context(), server.Demo{UpstreamURL: strings.TrimRight(o.upstreamURL, "/"), UpstreamKey: secret.New(o.upstreamKey)})
	if err != nil {
		return err
	}
	if err := m.present(s.URL(), sample, o.asJSON); err != nil {
		return err
	}
	return s.Run(c.Context())
}

// demoJSON is what --json prints. Keys that an earlier server made are left out.
type demoJSON struct {
	URL            string     `json:"url"`
	OrganizationID string     `json:"organization_id"`
	Owner          demoPerson `json:"owner"`
	Member         demoPerson `json:"member"`
	AdminKey       string     `json:"admin_key,omitempty"`
}

type demoPerson struct {
	Email     string `json:"email"`
	SignInURL string `json:"sign_in_url"`
	APIKey    string `json:"api_key,omitempty"`
}

func (m *Main) present(url string, s server.Sample, asJSON bool) error {
	link := func(p server.SamplePerson) string { return url + "/link/" + p.Link.Reveal() }
	if asJSON {
		return json.NewEncoder(m.Stdout).Encode(demoJSON{URL: url, OrganizationID: string(s.Organization),
			Owner:    demoPerson{Email: s.Owner.Email, SignInURL: link(s.Owner)},
			Member:   demoPerson{Email: s.Member.Email, SignInURL: link(s.Member), APIKey: s.APIKey.Reveal()},
			AdminKey: s.AdminKey.Reveal()})
	}
	key := s.APIKey.Reveal()
	if key == "" {
		key = "KEY"
		fmt.Fprintln(m.Stderr, "KEY below is the one that the first start on this data printed; gatehoused owner key makes another.")
	}
	_, err := fmt.Fprintf(m.Stdout, `Gatehouse is serving a sample organization at %[1]s

  Claude Code  ANTHROPIC_BASE_URL=%[1]s ANTHROPIC_AUTH_TOKEN=%[2]s claude
  An SDK       ANTHROPIC_BASE_URL=%[1]s ANTHROPIC_API_KEY=%[2]s python your_program.py
  curl         curl %[1]s/v1/messages -H 'x-api-key: %[2]s' -H 'anthropic-version: 2023-06-01' -d '{"model":"claude-sonnet-5","max_tokens":100,"messages":[{"role":"user","content":"Hello"}]}'
  Sign in      bin/gatehouse login --server %[1]s

The console, as the owner:  %[3]s
The console, as a member:   %[4]s
(these links work again and again while the demo runs; end it with Ctrl-C)
`, url, key, link(s.Owner), link(s.Member))
	return err
}
