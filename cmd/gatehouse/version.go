package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
)

func (m *Main) versionVerb() *cobra.Command {
	return m.verb("version", "Print the version", "The line is: gatehouse VERSION (SYSTEM/ARCHITECTURE).", func(context.Context) error {
		if _, err := fmt.Fprintf(m.Stdout, "gatehouse %s (%s/%s)\n", m.Version, m.System, m.Arch); err != nil {
			return fmt.Errorf("printing the version: %w", err)
		}
		return nil
	})
}
