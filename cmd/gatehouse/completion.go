package main

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/gatehouse-dev/gatehouse/internal/claudecode"
	"github.com/gatehouse-dev/gatehouse/internal/editor"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// shells are those that are known, with what writes their script.
var shells = []struct {
	name  string
	write func(root *cobra.Command, out io.Writer) error
}{
	{"bash", func(root *cobra.Command, out io.Writer) error {
		if _, err := io.WriteString(out, bashWords); err != nil {
			return err
		}
		return root.GenBashCompletionV2(out, true)
	}},
	{"zsh", (*cobra.Command).GenZshCompletion},
	{"fish", func(root *cobra.Command, out io.Writer) error { return root.GenFishCompletion(out, true) }},
	{"powershell", (*cobra.Command).GenPowerShellCompletionWithDesc},
}

// bashWords stands in for the one function of the package bash-completion that
// the script needs, where that package is not installed.
const bashWords = `# The words of the line up to the cursor, for a bash without bash-completion.
if ! declare -F _get_comp_words_by_ref >/dev/null; then
_get_comp_words_by_ref() {
    local line="${COMP_LINE:0:COMP_POINT}"
    read -ra words <<<"$line"
    [[ "$line" == *[[:space:]] ]] && words+=("")
    cword=$((${#words[@]} - 1))
    cur="${words[cword]}"
    prev=""
    ((cword > 0)) && prev="${words[cword - 1]}"
    return 0
}
fi

`

func (m *Main) completionVerb() *cobra.Command {
	c := m.verb("completion SHELL", "Print the script that completes commands in a shell",
		`SHELL is bash, zsh, fish or powershell. To have it in every new shell:

  bash        gatehouse completion bash > ~/.local/share/bash-completion/completions/gatehouse
  zsh         gatehouse completion zsh > "${fpath[1]}/_gatehouse"
  fish        gatehouse completion fish > ~/.config/fish/completions/gatehouse.fish
  powershell  gatehouse completion powershell >> $PROFILE

Verbs, flags, and the names of profiles are completed. The server is not asked.`, func(context.Context) error { return nil })
	c.Args = cobra.ExactArgs(1)
	for _, s := range shells {
		c.ValidArgs = append(c.ValidArgs, s.name)
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		m.running = true
		i := slices.Index(c.ValidArgs, args[0])
		if i < 0 {
			return &usageError{fmt.Sprintf("%q is no shell that is known, choose bash, zsh, fish or powershell", oneLine(args[0])), "gatehouse completion bash"}
		}
		return shells[i].write(c.Root(), m.Stdout)
	}
	return c
}

// values are what flags of these names can be set to, wherever they stand.
func (m *Main) values() map[string]func() []string {
	fixed := func(list ...string) func() []string { return func() []string { return list } }
	var doors []string
	for _, d := range claudecode.Doors() {
		doors = append(doors, string(d))
	}
	return map[string]func() []string{
		"profile": m.profileNames,
		"storage": fixed("keychain", "wincred", "secret-service", "sealed", "file"),
		"door":    fixed(doors...),
		"scope":   fixed("user", "managed"),
		"editor":  fixed(editor.Names()...),
		"auth":    fixed("key", "federation"),
	}
}

// profileNames are the profiles that were signed in; none where they cannot be
// found out.
func (m *Main) profileNames() []string {
	memory, err := m.memory()
	if err != nil {
		return nil
	}
	var names []string
	for _, p := range memory.Profiles() {
		names = append(names, p.String())
	}
	return names
}

// completes makes the flags of all verbs complete. It is only called when a
// shell asks: no other command pays for it.
func (m *Main) completes(root *cobra.Command) {
	values := m.values()
	var all func(c *cobra.Command)
	all = func(c *cobra.Command) {
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if list, ok := values[f.Name]; ok {
				_ = c.RegisterFlagCompletionFunc(f.Name, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
					return list(), cobra.ShellCompDirectiveNoFileComp
				}) // a flag that completes already keeps its way
			}
		})
		for _, child := range c.Commands() {
			all(child)
		}
	}
	all(root)
}
