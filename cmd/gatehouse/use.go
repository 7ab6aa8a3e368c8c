package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/binding"
	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/keystore"
	"github.com/gatehouse-dev/gatehouse/internal/keystore/lockfile"
	"github.com/gatehouse-dev/gatehouse/internal/login"
	"github.com/spf13/cobra"
)

type useFlags struct {
	here, forget, all, json bool
	remote                  string
}

func (f useFlags) binds() bool { return f.here || f.remote != "" }

func (m *Main) useVerb() *cobra.Command {
	var flags useFlags
	c := m.verb("use [PROFILE]", "Show the sign-ins of this machine, choose one, or bind one to a folder",
		`Without PROFILE every sign-in is shown: its server, who it is, where it is kept
and until when its access token holds; * marks the active one, which is meant
where none is named. With PROFILE it becomes the active one, also for the SDKs
(active_config) if they can read it.

--here binds the working folder, and all below it, to PROFILE; --remote binds
every repository with a git remote that fits a pattern. The deepest folder wins,
then the longest pattern. A verb that hands out the sign-in takes --profile, else
GATEHOUSE_PROFILE, else what the folder is bound to, else the active profile, and
refuses a profile that is named where another is bound (--anyway goes on).
Bindings are kept in bindings.json beside the other files of gatehouse; nothing
in a repository can make one.

  gatehouse use --here client-a
  gatehouse use --remote 'github.com/acme/*' acme
  gatehouse use --forget --here

With --json one object is printed on standard output: active, here {profile, why,
problem}, profiles [{name, active, server, identity {subject, email, name},
organization_id, storage, signed_in, signed_in_at, access_token {expires_at,
expired}, sdk_active, problem}], bindings [{folder, pattern, profile, here}].
Fields are only ever added.`, nil)
	c.Args = cobra.MaximumNArgs(1)
	c.RunE = func(c *cobra.Command, args []string) error {
		m.running = true
		return m.use(c.Context(), flags, args)
	}
	c.ValidArgsFunction = func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return m.profileNames(), cobra.ShellCompDirectiveNoFileComp
	}
	c.Flags().BoolVar(&flags.here, "here", false, "bind this folder and all below it")
	c.Flags().StringVar(&flags.remote, "remote", "", "bind repositories with a git remote that fits this `pattern`")
	c.Flags().BoolVar(&flags.forget, "forget", false, "with --here or --remote: take the binding away")
	c.Flags().BoolVar(&flags.all, "all", false, "with --forget: take every binding away")
	c.Flags().BoolVar(&flags.json, "json", false, "print one JSON object")
	return c
}

func (m *Main) use(ctx context.Context, flags useFlags, args []string) error {
	wrong := func(what, mend string) error { return &usageError{what, mend} }
	switch {
	case flags.here && flags.remote != "":
		return wrong("--here and --remote are two bindings", "gatehouse use --here PROFILE")
	case flags.all && (!flags.forget || flags.binds()):
		return wrong("--all belongs to --forget alone", "gatehouse use --forget --all")
	case flags.forget && !flags.all && !flags.binds():
		return wrong("say which binding to forget", "gatehouse use --forget --here")
	case flags.forget && len(args) > 0:
		return wrong("a binding is forgotten without naming a profile", "gatehouse use --forget --here")
	case flags.json && (len(args) > 0 || flags.binds() || flags.forget):
		return wrong("--json is for the list", "gatehouse use --json")
	case flags.binds() && !flags.forget && len(args) == 0:
		return wrong("say which profile to bind", "gatehouse use")
	case flags.forget:
		return m.forget(ctx, flags)
	case len(args) == 0:
		return m.listProfiles(ctx, flags.json)
	}
	p, err := m.signedInAs(args[0])
	if err != nil {
		return err
	}
	if flags.binds() {
		return m.bind(ctx, flags, p)
	}
	return m.activate(ctx, p)
}

// signedInAs is a profile by the name of one that was signed in.
func (m *Main) signedInAs(name string) (credential.Profile, error) {
	memory, err := m.memory()
	if err != nil {
		return "", err
	}
	p, err := credential.ParseProfile(name)
	if err != nil {
		return "", &usageError{message(err), "gatehouse use"}
	}
	known := m.profileNames()
	if slices.Contains(known, p.String()) {
		return p, nil
	}
	// "use default" is the way back from an active profile that is no more.
	if active, err := memory.Active(); p.String() == credential.DefaultProfile.String() && (err != nil || active.String() != p.String()) {
		return p, nil
	}
	near := nearest(p.String(), known)
	switch {
	case len(near) > 0:
		return "", fault.New(fault.NotFound, "there is no profile %s here; there is %s", p, strings.Join(near, ", ")).WithHint("gatehouse use " + near[0])
	case len(known) > 0:
		return "", fault.New(fault.NotFound, "there is no profile %s here; there is %s", p, strings.Join(known[:min(len(known), 5)], ", ")).WithHint("gatehouse use")
	}
	return "", fault.New(fault.NotFound, "there is no profile %s here, and no other", p).WithHint("gatehouse login --profile " + p.String())
}

// activate makes a profile the one that is meant where none is named, here and
// for the SDKs. If only one of the two can be, neither is.
func (m *Main) activate(ctx context.Context, p credential.Profile) error {
	release, err := m.lockChoice(ctx)
	if err != nil {
		return err
	}
	defer release()
	at, err := m.placesOf(p)
	if err != nil {
		return err
	}
	before := at.sdk.Active()
	wanted := before
	switch there, err := at.sdk.Read(p); {
	case at.recall == nil && at.keptIn() == keystore.File && err == nil && there.ClientID == login.ClientID && there.BaseURL == at.known.Origin:
		wanted = p.SDKName()
	case at.sdk.OwnsActive(login.ClientID): // or the SDKs would stay with the profile before
		wanted = ""
	}
	if wanted != before {
		if err := at.sdk.SetActive(wanted); err != nil {
			return err
		}
	}
	if err := at.memory.SetActive(p); err != nil {
		if wanted != before {
			_ = at.sdk.SetActive(before) // the first error is what went wrong
		}
		return err
	}
	m.say("%s", m.activated(at, before, wanted))
	return nil
}

// activated is the line that confirms.
func (m *Main) activated(at places, before, wanted string) string {
	var line strings.Builder
	fmt.Fprintf(&line, "Using the profile %s", at.profile)
	if at.recall == nil {
		fmt.Fprintf(&line, " at %s, kept in %s", at.known.Origin, at.keptIn())
	}
	switch {
	case wanted == at.profile.SDKName():
		fmt.Fprintf(&line, "; the SDKs use it as %s", wanted)
		if before != "" && before != wanted {
			fmt.Fprintf(&line, " and no longer %s", printable(before))
		}
	case wanted == "" && before != "":
		fmt.Fprintf(&line, "; the SDKs use no profile of their own choice any more, because they could not read it")
	case wanted != "":
		fmt.Fprintf(&line, "; the SDKs go on with %s", printable(wanted))
	}
	line.WriteByte('.')
	if name := m.Getenv("GATEHOUSE_PROFILE"); name != "" && name != at.profile.String() {
		fmt.Fprintf(&line, " GATEHOUSE_PROFILE is set to %s, which counts more.", printable(name))
	} else if bound, err := m.bound(at.memory.Dir); err == nil && bound != nil && bound.Profile.String() != at.profile.String() {
		fmt.Fprintf(&line, " In this folder %s is meant, because %s.", bound.Profile, printable(bound.Why()))
	}
	return line.String()
}

// lockChoice keeps two that choose or bind at the same time apart.
func (m *Main) lockChoice(ctx context.Context) (release func(), err error) {
	memory, err := m.memory()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	return lockfile.Folder(memory.Dir).Lock(ctx, "use")
}

func (m *Main) bind(ctx context.Context, flags useFlags, p credential.Profile) error {
	var what string
	err := m.changeBindings(ctx, func(r binding.Rules) (binding.Rules, error) {
		var err error
		if flags.remote != "" {
			if what, err = binding.ParsePattern(flags.remote); err != nil {
				return r, err
			}
			return r.BindRemote(what, p), nil
		}
		if what, err = workingFolder(); err != nil {
			return r, err
		}
		return r.Bind(what, p), nil
	})
	if err == nil {
		m.say("Bound %s to the profile %s.", printable(what), p)
	}
	return err
}

func (m *Main) forget(ctx context.Context, flags useFlags) error {
	memory, err := m.memory()
	if err != nil {
		return err
	}
	if flags.all { // also what cannot be read
		release, err := m.lockChoice(ctx)
		if err != nil {
			return err
		}
		defer release()
		if err := binding.In(memory.Dir).Save(binding.Rules{}); err != nil {
			return err
		}
		m.say("Nothing is bound any more.")
		return nil
	}
	var what string
	err = m.changeBindings(ctx, func(r binding.Rules) (binding.Rules, error) {
		var found bool
		if flags.remote != "" {
			if what, err = binding.ParsePattern(flags.remote); err == nil {
				r, found = r.ForgetRemote(what)
			}
		} else if what, err = workingFolder(); err == nil {
			r, found = r.Forget(what)
		}
		if err == nil && !found {
			err = fault.New(fault.NotFound, "%s is not bound", what).WithHint("gatehouse use")
		}
		return r, err
	})
	if err == nil {
		m.say("%s is not bound any more.", printable(what))
	}
	return err
}

func workingFolder() (string, error) {
	folder, err := os.Getwd()
	if err != nil {
		return "", fault.New(fault.Invalid, "this folder has no name: %w", err).WithHint("cd")
	}
	return binding.Resolve(folder)
}

func (m *Main) changeBindings(ctx context.Context, change func(binding.Rules) (binding.Rules, error)) error {
	release, err := m.lockChoice(ctx)
	if err != nil {
		return err
	}
	defer release()
	memory, err := m.memory()
	if err != nil {
		return err
	}
	file := binding.In(memory.Dir)
	rules, err := file.Load()
	if err == nil {
		rules, err = change(rules)
	}
	if err != nil {
		return err
	}
	return file.Save(rules)
}

// nearest are the names that could have been meant, at most three.
func nearest(name string, known []string) []string {
	type candidate struct {
		name string
		far  int
	}
	var list []candidate
	for _, k := range known {
		far := distance(strings.ToLower(name), strings.ToLower(k))
		if far <= 1+len(name)/4 || strings.HasPrefix(strings.ToLower(k), strings.ToLower(name)) {
			list = append(list, candidate{k, far})
		}
	}
	slices.SortStableFunc(list, func(a, b candidate) int { return a.far - b.far })
	var names []string
	for _, c := range list[:min(len(list), 3)] {
		names = append(names, c.name)
	}
	return names
}

// distance is how many letters must be put in, taken out, changed or swapped
// with the next to make a of b.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}

const loadPatience = 5 * time.Second
