package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/atomicfile"
	"github.com/gatehouse-dev/gatehouse/internal/manual"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// What doc.go says of the command as a whole; a test holds the two together.
var (
	exitStatus = []manual.Item{
		{Term: "0", Text: "done; after \"run\" has started a program, the program's exit code"},
		{Term: "1", Text: "failed"},
		{Term: "2", Text: "used wrongly: an unknown command, flag or value"},
		{Term: "3", Text: "not signed in, or the sign-in has ended"},
		{Term: "4", Text: "the server or the storage cannot be reached, or cannot answer now"},
		{Term: "5", Text: "this machine, server or version has no means for it"},
		{Term: "126", Text: "the program of \"run\" cannot be started"},
		{Term: "127", Text: "there is no such program to \"run\""},
		{Term: "130", Text: "interrupted"},
	}
	environment = []manual.Item{
		{Term: "GATEHOUSE_SERVER", Text: "the server to sign in at"},
		{Term: "GATEHOUSE_PROFILE", Text: "the sign-in that is meant, like --profile"},
		{Term: "GATEHOUSE_STORAGE", Text: "where to keep the credential, like --storage"},
		{Term: "GATEHOUSE_PASSPHRASE_FILE", Text: "a file of mode 0600 with the passphrase of the sealed storage"},
		{Term: "GATEHOUSE_AGENT", Text: "on: \"token\" starts an agent where none runs; off: none is asked"},
		{Term: "GATEHOUSE_AGENT_SOCK", Text: "the socket of the agent that tokens come from, and from nowhere else"},
		{Term: "GATEHOUSE_CONFIG_DIR", Text: "where gatehouse remembers its servers and bindings (~/.config/gatehouse)"},
		{Term: "ANTHROPIC_CONFIG_DIR", Text: "where the SDKs keep their profiles (~/.config/anthropic)"},
		{Term: "CLAUDE_CONFIG_DIR", Text: "where Claude Code keeps its settings (~/.claude)"},
		{Term: "ANTHROPIC_BASE_URL", Text: "where tokens are sent; none is printed for another server than the sign-in's"},
		{Term: "NODE_EXTRA_CA_CERTS", Text: "a file of certificates that are trusted too"},
		{Term: "HTTPS_PROXY", Text: "the proxy on the way to the server"},
		{Term: "NO_PROXY", Text: "the hosts that are reached without it"},
		{Term: "BROWSER", Text: "the program that opens a page"},
	}
)

// manVerb is for whoever packs the program.
func (m *Main) manVerb() *cobra.Command {
	c := m.verb("man FOLDER", "Write the manual pages into a folder", "One page for each command: gatehouse.1, gatehouse-login.1 and so on.",
		func(context.Context) error { return nil })
	c.Hidden, c.Args = true, cobra.ExactArgs(1)
	c.RunE = func(c *cobra.Command, args []string) error {
		m.running = true
		for _, p := range m.pages(c.Root(), nil) {
			path := filepath.Join(args[0], p.Name+".1")
			if err := atomicfile.Replace(path, p.Bytes(), atomicfile.PublicDir, atomicfile.PublicFile); err != nil {
				return fmt.Errorf("writing %s: %w", path, err)
			}
		}
		return nil
	}
	return c
}

// pages are those of a command and all below it.
func (m *Main) pages(c *cobra.Command, above []string) []manual.Page {
	name := func(c *cobra.Command) string { return strings.ReplaceAll(c.CommandPath(), " ", "-") }
	p := manual.Page{Name: name(c), Short: c.Short, Program: "gatehouse " + m.Version, Date: m.buildDate(), Synopsis: c.UseLine(), SeeAlso: above}
	_, long, _ := strings.Cut(c.Long, "\n\n") // what follows the short line
	p.Description = long
	if !c.HasParent() {
		p.Description = c.Short + "."
		p.Sections = []manual.Section{{Title: "Commands"}, {Title: "Exit status", Items: exitStatus}, {Title: "Environment", Items: environment}}
	}
	c.NonInheritedFlags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			p.Options = append(p.Options, optionOf(f))
		}
	})
	var below []manual.Page
	for _, child := range c.Commands() {
		if child.Hidden || child.Name() == "help" {
			continue
		}
		p.SeeAlso = append(p.SeeAlso, name(child))
		if !c.HasParent() {
			p.Sections[0].Items = append(p.Sections[0].Items, manual.Item{Term: child.Name(), Text: child.Short})
		}
		below = append(below, m.pages(child, append(above[:len(above):len(above)], name(c)))...)
	}
	return append([]manual.Page{p}, below...)
}

// buildDate is today, or the day that a reproducible build wants
// (reproducible-builds.org, SOURCE_DATE_EPOCH).
func (m *Main) buildDate() string {
	at := m.Now()
	if seconds, err := strconv.ParseInt(m.Getenv("SOURCE_DATE_EPOCH"), 10, 64); err == nil {
		at = time.Unix(seconds, 0)
	}
	return at.UTC().Format(time.DateOnly)
}

func optionOf(f *pflag.Flag) manual.Item {
	value, usage := pflag.UnquoteUsage(f)
	item := manual.Item{Term: "--" + f.Name, Text: usage}
	if f.Shorthand != "" {
		item.Term = "-" + f.Shorthand + ", " + item.Term
	}
	if value != "" {
		item.Term += " " + strings.ToUpper(value)
	}
	if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "[]" && f.DefValue != "0" {
		item.Text += " (default " + f.DefValue + ")"
	}
	return item
}
