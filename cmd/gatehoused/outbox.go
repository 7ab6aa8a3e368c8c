package main

import (
	"encoding/json"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/outbox"
	"github.com/gatehouse-dev/gatehouse/internal/server"
	"github.com/spf13/cobra"
)

// outboxOptions say which letters are listed, and how.
type outboxOptions struct {
	sought string
	all    bool
	limit  int
	asJSON bool
}

func (m *Main) ownerOutbox(o *ownerOptions) *cobra.Command {
	var list outboxOptions
	c := &cobra.Command{Use: "outbox [ID]", Short: "List letters that have not reached anybody, or print the link of one, which is recorded", Args: cobra.MaximumNArgs(1),
		Long: `Without an id, list the newest letters that have not reached anybody: waiting, being sent, or failed.
With an id (msg_…), print the letter's link. Most links let whoever has them into somebody's account:
hand it to the person the letter is for. That it was shown is in the record of activity.`,
		RunE: func(c *cobra.Command, args []string) error {
			return m.shell(c, o.config, func(s *server.Server) error {
				if len(args) == 0 {
					return m.listOutbox(c, s, list)
				}
				link, err := s.Rooms().Outbox.Reveal(c.Context(), caller.OfOperator(""), id.Message(args[0]))
				if err == nil {
					_, err = fmt.Fprintln(m.Stdout, link.Reveal())
				}
				return err
			})
		}}
	c.Flags().StringVar(&list.sought, "to", "", "only letters to addresses or names that contain this")
	c.Flags().BoolVar(&list.all, "all", false, "list those that were sent, have expired or are not needed as well")
	c.Flags().IntVar(&list.limit, "limit", 50, "how many, at most 100")
	c.Flags().BoolVar(&list.asJSON, "json", false, "one line of JSON a letter")
	return c
}

// letterJSON is what --json prints of a letter: never a link.
type letterJSON struct {
	ID             string `json:"id"`
	OrganizationID string `json:"organization_id,omitempty"`
	Kind           string `json:"kind"`
	Status         string `json:"status"`
	To             string `json:"to"`
	Subject        string `json:"subject"`
	CreatedAt      string `json:"created_at"`
	Attempts       int    `json:"attempts"`
	LastError      string `json:"last_error,omitempty"`
}

func (m *Main) listOutbox(c *cobra.Command, s *server.Server, o outboxOptions) error {
	f := outbox.Filter{Sought: o.sought, Limit: o.limit}
	if !o.all {
		f.Statuses = []outbox.Status{outbox.Waiting, outbox.Queued, outbox.Failed}
	}
	page, more, err := s.Rooms().Outbox.All(c.Context(), caller.OfOperator(""), f)
	if err != nil {
		return err
	}
	if o.asJSON {
		out := json.NewEncoder(m.Stdout)
		for _, l := range page {
			if err := out.Encode(letterJSON{string(l.ID), string(l.Organization), string(l.Kind), string(l.Status), l.To, l.Subject, l.CreatedAt.Format(time.RFC3339), l.Attempts, l.LastError}); err != nil {
				return err
			}
		}
		return nil
	}
	if len(page) == 0 {
		_, err := fmt.Fprintln(m.Stderr, "No letter is waiting for anybody.")
		return err
	}
	w := tabwriter.NewWriter(m.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tSTATUS\tKIND\tTO\tSUBJECT\tWRITTEN")
	for _, l := range page {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", l.ID, l.Status, l.Kind, l.To, l.Subject, l.CreatedAt.Format(time.RFC3339))
	}
	if more {
		fmt.Fprintln(m.Stderr, "There are more: narrow the list with --to, or raise --limit.")
	}
	return w.Flush()
}
