package login

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/atomicfile"
	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

const maxMemory = 64 << 10

// Memory remembers, in the folder Dir, which server each profile is signed in
// at (profiles/NAME.json), which server was used last (server.json), and which
// profile is meant where none is named (active.json). It holds no
// secret; the files are private all the same, because a changed endpoint in them
// would be sent a refresh token.
type Memory struct{ Dir string }

// Enrolment is where and when a profile was signed in.
type Enrolment struct {
	Server
	SignedIn time.Time `json:"signed_in_at"`
	// Storage is where the credential is kept, a name of package keystore. Empty
	// is keystore.File: earlier versions knew no other.
	Storage string `json:"storage,omitempty"`
	// StorageWhy says to a person why it is that one.
	StorageWhy string `json:"storage_why,omitempty"`
	// CAFile is the file of roots that are trusted for this server too; may be empty.
	CAFile string `json:"ca_file,omitempty"`
}

// Path is the file that remembers a profile.
func (m Memory) Path(p credential.Profile) string { return m.profile(p) }

func (m Memory) profile(p credential.Profile) string {
	return filepath.Join(m.Dir, "profiles", p.String()+".json")
}

func (m Memory) last() string { return filepath.Join(m.Dir, "server.json") }

func (m Memory) active() string { return filepath.Join(m.Dir, "active.json") }

// Remember keeps where a profile was signed in, and its server as the one to
// use next time.
func (m Memory) Remember(p credential.Profile, e Enrolment) error {
	for path, what := range map[string]any{m.profile(p): e, m.last(): map[string]string{"server": e.Origin}} {
		b, err := json.MarshalIndent(what, "", "  ")
		if err != nil {
			return fmt.Errorf("encoding the sign-in: %w", err)
		}
		if err := atomicfile.Replace(path, append(b, '\n'), atomicfile.SecretDir, atomicfile.SecretFile); err != nil {
			return fmt.Errorf("remembering the sign-in: %w", err)
		}
	}
	return nil
}

// Recall returns where a profile was signed in. It fails with NotFound if it
// never was, and with Invalid if the memory cannot be trusted.
func (m Memory) Recall(p credential.Profile) (Enrolment, error) {
	var e Enrolment
	if err := read(m.profile(p), &e); err != nil {
		return Enrolment{}, err
	}
	return e, e.Check()
}

// Profiles lists the profiles that were signed in, in the order of their names.
// Where there is no memory, there are none.
func (m Memory) Profiles() []credential.Profile {
	found, _ := os.ReadDir(filepath.Join(m.Dir, "profiles")) // a folder that cannot be read lists none
	var list []credential.Profile
	for _, f := range found {
		name, ours := strings.CutSuffix(f.Name(), ".json")
		if p, err := credential.ParseProfile(name); ours && err == nil {
			list = append(list, p)
		}
	}
	return list
}

// LastServer is the server that was signed in at last, or "".
func (m Memory) LastServer() string {
	var e Server
	if read(m.last(), &e) != nil {
		return ""
	}
	return e.Origin
}

// Active is the profile that is meant where none is named. It fails with Invalid
// if the memory cannot be trusted.
func (m Memory) Active() (credential.Profile, error) {
	var w struct {
		Profile string `json:"profile"`
	}
	err := read(m.active(), &w)
	if fault.Is(err, fault.NotFound) {
		return credential.DefaultProfile, nil
	}
	p := credential.Profile("")
	if err == nil {
		p, err = credential.ParseProfile(w.Profile)
	}
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Hint == "" {
		return "", fault.New(fault.Invalid, "%s does not name the active profile", m.active()).WithHint("gatehouse use " + string(credential.DefaultProfile))
	}
	return p, err
}

// SetActive makes a profile the one that is meant where none is named.
func (m Memory) SetActive(p credential.Profile) error {
	b, err := json.Marshal(map[string]string{"profile": p.String()})
	if err == nil {
		err = atomicfile.Replace(m.active(), append(b, '\n'), atomicfile.SecretDir, atomicfile.SecretFile)
	}
	if err != nil {
		return fmt.Errorf("remembering the active profile: %w", err)
	}
	return nil
}

// Forget removes what is remembered of a profile, but not the last server.
func (m Memory) Forget(p credential.Profile) error {
	if err := os.Remove(m.profile(p)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forgetting the sign-in: %w", err)
	}
	return nil
}

func read(path string, into any) error {
	b, err := atomicfile.ReadPrivate(path, maxMemory)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fault.Wrap(fault.NotFound, err, "not signed in")
	case err != nil:
		if unsafe, ok := errors.AsType[*atomicfile.UnsafeError](err); ok {
			return fault.New(fault.Invalid, "%w", unsafe).WithHint(unsafe.Mend)
		}
		return fmt.Errorf("recalling the sign-in: %w", err)
	}
	if json.Unmarshal(b, into) != nil {
		return fault.New(fault.Invalid, "%s is not readable any more", path)
	}
	return nil
}
