package binding

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/atomicfile"
	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

const (
	version  = 1
	maxFile  = 256 << 10
	maxRules = 1000
	maxPath  = 4096
)

// Folder binds a folder and everything below it.
type Folder struct {
	Path    string             `json:"path"` // absolute
	Profile credential.Profile `json:"profile"`
}

// Remote binds repositories by the address of a git remote.
type Remote struct {
	Pattern string             `json:"pattern"` // as ParsePattern writes it
	Profile credential.Profile `json:"profile"`
}

// Rules are all bindings of a member. The zero Rules bind nothing.
type Rules struct {
	Folders []Folder `json:"folders,omitempty"`
	Remotes []Remote `json:"remotes,omitempty"`
}

// Empty reports whether nothing is bound.
func (r Rules) Empty() bool { return len(r.Folders)+len(r.Remotes) == 0 }

// File is the path of the member's file.
type File string

// In is the file in a configuration folder.
func In(dir string) File { return File(filepath.Join(dir, "bindings.json")) }

// Load returns the rules; without a file there are none. It fails with Invalid if
// the file is not the member's alone, or not what Save writes.
func (f File) Load() (Rules, error) {
	b, err := atomicfile.ReadPrivate(string(f), maxFile)
	unsafe, odd := errors.AsType[*atomicfile.UnsafeError](err)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Rules{}, nil
	case odd:
		return Rules{}, fault.New(fault.Invalid, "%w", unsafe).WithHint(unsafe.Mend)
	case err != nil:
		return Rules{}, fmt.Errorf("reading the bindings: %w", err)
	}
	rules, err := parse(b)
	if err != nil {
		return Rules{}, fault.New(fault.Invalid, "%s cannot be used: %w", string(f), err).WithHint("gatehouse use --forget --all")
	}
	return rules, nil
}

// Save keeps the rules, and removes the file where there are none: looking for it
// is all that it costs then.
func (f File) Save(r Rules) error {
	if r.Empty() {
		return atomicfile.Remove(string(f))
	}
	if len(r.Folders)+len(r.Remotes) > maxRules {
		return fault.New(fault.Invalid, "there are more than %d bindings", maxRules).WithHint("gatehouse use --forget")
	}
	b, err := json.MarshalIndent(struct {
		Version int `json:"version"`
		Rules
	}{version, r}, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the bindings: %w", err)
	}
	return atomicfile.Replace(string(f), append(b, '\n'), atomicfile.SecretDir, atomicfile.SecretFile)
}

// parse reads what Save wrote. A word that it does not know may be a rule: it is
// an error.
func parse(b []byte) (Rules, error) {
	var w struct {
		Version int `json:"version"`
		Rules
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&w); err != nil {
		return Rules{}, errors.New("it is not made of bindings")
	}
	if _, err := d.Token(); err != io.EOF {
		return Rules{}, errors.New("something follows the bindings")
	}
	if w.Version != version {
		return Rules{}, fmt.Errorf("it has version %d, and this gatehouse knows %d", w.Version, version)
	}
	return w.Rules, w.check()
}

func (r Rules) check() error {
	if len(r.Folders)+len(r.Remotes) > maxRules {
		return fmt.Errorf("there are more than %d bindings", maxRules)
	}
	var seen []string
	once := func(key string) error {
		if slices.Contains(seen, key) {
			return errors.New("something is bound twice")
		}
		seen = append(seen, key)
		return nil
	}
	for _, f := range r.Folders {
		if !filepath.IsAbs(f.Path) || filepath.Clean(f.Path) != f.Path || len(f.Path) > maxPath || strings.ContainsRune(f.Path, 0) {
			return errors.New("a folder is no absolute path")
		}
		if _, err := credential.ParseProfile(string(f.Profile)); err != nil {
			return errors.New("a profile has no name")
		}
		if err := once("folder " + f.Path); err != nil {
			return err
		}
	}
	for _, m := range r.Remotes {
		if p, err := ParsePattern(m.Pattern); err != nil || p != m.Pattern {
			return errors.New("a pattern is none")
		}
		if _, err := credential.ParseProfile(string(m.Profile)); err != nil {
			return errors.New("a profile has no name")
		}
		if err := once("remote " + m.Pattern); err != nil {
			return err
		}
	}
	return nil
}

// Bind returns the rules with a folder bound to a profile, in place of what it
// was bound to.
func (r Rules) Bind(path string, p credential.Profile) Rules {
	folders, _ := r.without(path)
	return Rules{Folders: append(folders, Folder{path, p}), Remotes: r.Remotes}
}

// BindRemote does the same for a pattern.
func (r Rules) BindRemote(pattern string, p credential.Profile) Rules {
	remotes, _ := r.withoutRemote(pattern)
	return Rules{Folders: r.Folders, Remotes: append(remotes, Remote{pattern, p})}
}

// Forget returns the rules without a folder's, and whether there was one.
func (r Rules) Forget(path string) (Rules, bool) {
	folders, found := r.without(path)
	return Rules{Folders: folders, Remotes: r.Remotes}, found
}

// ForgetRemote does the same for a pattern.
func (r Rules) ForgetRemote(pattern string) (Rules, bool) {
	remotes, found := r.withoutRemote(pattern)
	return Rules{Folders: r.Folders, Remotes: remotes}, found
}

func (r Rules) without(path string) ([]Folder, bool) {
	left := slices.DeleteFunc(slices.Clone(r.Folders), func(f Folder) bool { return f.Path == path })
	return left, len(left) < len(r.Folders)
}

func (r Rules) withoutRemote(pattern string) ([]Remote, bool) {
	left := slices.DeleteFunc(slices.Clone(r.Remotes), func(m Remote) bool { return m.Pattern == pattern })
	return left, len(left) < len(r.Remotes)
}
