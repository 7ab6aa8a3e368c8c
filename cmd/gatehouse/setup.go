package main

import "github.com/spf13/cobra"

func (m *Main) setupVerb() *cobra.Command { return &cobra.Command{Use: "setup"} }
