package binding

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

// Bound is the binding of a folder.
type Bound struct {
	Profile credential.Profile
	// Folder or Pattern is the rule, and Remote the address that the pattern
	// matches, without a user or a password.
	Folder, Pattern, Remote string
}

// Why says to a person what binds: "/home/ada/client-a is bound to it".
func (b Bound) Why() string {
	if b.Folder != "" {
		return b.Folder + " is bound to it"
	}
	return "the git remote " + b.Remote + " is bound to it by " + b.Pattern
}

// For returns the binding of a folder; nil if it has none. It fails with Invalid
// if that cannot be decided.
func (r Rules) For(folder string) (*Bound, error) {
	if r.Empty() {
		return nil, nil
	}
	here, err := Resolve(folder)
	if err != nil {
		return nil, err
	}
	if b := r.folder(here); b != nil || len(r.Remotes) == 0 {
		return b, nil
	}
	remotes, err := Remotes(here)
	if err != nil {
		return nil, fault.New(fault.Invalid, "bindings by git remote cannot be decided here: %w", err).WithHint("gatehouse use --here PROFILE")
	}
	return r.remote(remotes)
}

// Resolve makes a folder's path absolute and free of symbolic links.
func Resolve(folder string) (string, error) {
	path, err := filepath.Abs(folder)
	if err == nil {
		path, err = filepath.EvalSymlinks(path)
	}
	if err != nil {
		return "", fault.New(fault.Invalid, "this folder cannot be looked at: %w", err).WithHint("pwd -P")
	}
	return path, nil
}

func (r Rules) folder(here string) *Bound {
	var best *Bound
	depth := -1
	for _, f := range r.Folders {
		path := f.Path
		if now, err := filepath.EvalSymlinks(path); err == nil { // it may have become a link
			path = now
		}
		if under(path, here) && len(path) > depth {
			best, depth = &Bound{Profile: f.Profile, Folder: f.Path}, len(path)
		}
	}
	return best
}

// under reports whether path is folder or below it. Where file systems take
// letters of either case for the same, so does this.
func under(folder, path string) bool {
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		folder, path = strings.ToLower(folder), strings.ToLower(path)
	}
	if folder == path {
		return true
	}
	separator := string(os.PathSeparator)
	return strings.HasPrefix(path, strings.TrimSuffix(folder, separator)+separator)
}

// remote finds the longest pattern that matches any of the remotes. Two of the
// same length for two profiles are decided by nobody.
func (r Rules) remote(addresses []string) (*Bound, error) {
	var best *Bound
	for _, address := range addresses {
		normal, ok := Normalise(address)
		if !ok {
			continue
		}
		for _, m := range r.Remotes {
			switch {
			case !matches(m.Pattern, normal) || best != nil && len(m.Pattern) < len(best.Pattern):
			case best != nil && len(m.Pattern) == len(best.Pattern) && m.Profile != best.Profile:
				return nil, fault.New(fault.Invalid, "the git remotes of this repository are bound to two profiles, %s and %s", best.Profile, m.Profile).
					WithHint("gatehouse use --here " + string(best.Profile))
			default:
				best = &Bound{Profile: m.Profile, Pattern: m.Pattern, Remote: normal}
			}
		}
	}
	return best, nil
}
