package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/gatehouse-dev/gatehouse/internal/login"
	"github.com/gatehouse-dev/gatehouse/internal/recipe"
	"github.com/gatehouse-dev/gatehouse/internal/settingsfile"
	"github.com/spf13/cobra"
)

type actionFlags struct {
	changeFlags
	server, auth, file string
	action             recipe.Action
}

func (m *Main) setupAction() *cobra.Command {
	var flags actionFlags
	c := m.aboutProfile(m.verb("github-action", "Print the workflow of the Claude Code GitHub Action",
		`--auth key         the workflow reads an API key from a secret of the repository,
                   named by --secret; make the key in the console
--auth federation  no secret: GitHub proves who runs; ids are given, or read from
                   variables of the repository

The workflow is printed on standard output; with --write FILE it becomes that
file, if there is none. It never holds a secret itself.`, func(context.Context) error { return m.printAction(flags) }))
	flags.add(c)
	c.Flags().StringVar(&flags.server, "server", "", "the server's address (GATEHOUSE_SERVER, or the one used last)")
	c.Flags().StringVar(&flags.auth, "auth", "key", "key or federation")
	c.Flags().StringVar(&flags.action.Secret, "secret", "GATEHOUSE_API_KEY", "the name of the repository's secret")
	c.Flags().StringVar(&flags.action.Rule, "federation-rule", "", "the id of the federation rule")
	c.Flags().StringVar(&flags.action.Organization, "organization", "", "the id of the organization")
	c.Flags().StringVar(&flags.action.ServiceAccount, "service-account", "", "the id of the service account")
	c.Flags().StringVar(&flags.action.Workspace, "workspace", "", "the id of the workspace")
	c.Flags().StringVar(&flags.file, "write", "", "write this file, such as .github/workflows/claude.yml")
	return c
}

func (m *Main) printAction(flags actionFlags) error {
	at, err := m.places()
	if err != nil {
		return err
	}
	job := change{flags: flags.changeFlags, again: "gatehouse setup github-action --write " + shellWord(m.System, flags.file)}
	file := settingsfile.File{Records: filepath.Join(at.memory.Dir, "files"), Shared: true, Now: m.Now}
	if flags.file != "" {
		if file.Path, err = filepath.Abs(flags.file); err != nil {
			return fmt.Errorf("finding the file: %w", err)
		}
	}
	if flags.undo {
		if flags.file == "" {
			return &usageError{"no file is named", "gatehouse setup github-action --undo --write .github/workflows/claude.yml"}
		}
		return m.takeBack(job, file)
	}
	if flags.action.Server, err = m.serverFor(at, flags.server); err == nil {
		flags.action.Server, err = login.ParseServer(flags.action.Server)
	}
	if err != nil {
		return &usageError{message(err), "gatehouse setup github-action --server https://gate.example.com"}
	}
	switch flags.auth {
	case "key":
	case "federation":
		flags.action.Secret = ""
	default:
		return &usageError{fmt.Sprintf("%q is no way to sign in, choose key or federation", flags.auth), "gatehouse setup github-action --auth key"}
	}
	text, err := flags.action.Workflow()
	if err != nil {
		return err
	}
	if flags.file == "" {
		_, err := fmt.Fprint(m.Stdout, text)
		return err
	}
	plan, err := file.PlanWhole([]byte(text))
	if err != nil {
		return err
	}
	return m.carryOut(job, nil, plan)
}

func (m *Main) setupSDK() *cobra.Command {
	c := m.aboutProfile(m.verb("sdk LANGUAGE", "Print what an SDK needs to use the sign-in",
		`LANGUAGE is python, typescript or go. The SDKs read the profile that "gatehouse
login" wrote, so all they need is its name in ANTHROPIC_PROFILE. What is printed
is a whole program.`, func(context.Context) error { return nil }))
	c.Args = cobra.ExactArgs(1)
	c.ValidArgs = recipe.Languages()
	c.RunE = func(_ *cobra.Command, args []string) error {
		m.running = true
		at, err := m.places()
		if err != nil {
			return err
		}
		if at.recall != nil {
			return at.signedOut(at.recall)
		}
		if err := at.readBySDKs(); err != nil {
			return err
		}
		text, err := recipe.SDK(args[0], at.profile.SDKName())
		if err != nil {
			return &usageError{message(err), "gatehouse setup sdk python"}
		}
		_, err = fmt.Fprint(m.Stdout, text)
		return err
	}
	return c
}
