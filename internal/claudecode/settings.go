package claudecode

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/atomicfile"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

// Claude Code itself reads no more.
const maxSettings = 2 << 20

// Settings is Claude Code's user settings. All fields are required.
type Settings struct {
	File    string // settings.json; a symbolic link is followed, the file behind it changed
	Records string // a folder of ours, for what Undo needs
	Getenv  func(string) string
	Now     func() time.Time
}

// Done says what Apply or Undo did.
type Done struct {
	File      string // the file that was, or would have been, changed
	Changed   bool
	Backup    string // the copy of what was there before; "" if there was nothing
	Conflicts []Conflict
}

// record is what Undo needs to know about the last Apply.
type record struct {
	File     string   `json:"file"`
	Existed  bool     `json:"existed"`
	Backup   string   `json:"backup,omitempty"`
	After    string   `json:"sha256_after"` // "": only the keys can be taken back
	Changes  []change `json:"changes"`
	EnvAdded bool     `json:"env_added,omitempty"`
}

// Apply makes the door's keys stand in the settings. What an Apply before set is
// taken back first, so that one door stands at a time. It fails with Conflict,
// and touches nothing, if the file is not JSON.
func (s Settings) Apply(d Door, to Target) (Done, error) {
	changes, err := d.changes(to)
	if err != nil {
		return Done{}, err
	}
	was, err := s.open()
	if err != nil {
		return Done{}, err
	}
	base, next := was.text, record{File: was.path, Existed: was.existed}
	old, have := s.recall(was.path)
	if have {
		base = revert(base, old)
	}
	now := base
	next.EnvAdded = base.get([]string{"env"}) == nil
	for _, c := range changes {
		c.Before = base.get(c.Path)
		now = now.set(c.Path, c.raw())
		next.Changes = append(next.Changes, c)
	}
	done := Done{File: was.path, Conflicts: conflicts(d, now, was.path, s.Getenv)}
	if was.existed && bytes.Equal(now, was.raw) {
		return done, nil
	}
	if done.Backup, err = s.backup(was); err != nil {
		return Done{}, err
	}
	next.After, next.Backup = sum(now), done.Backup
	if have { // what was there before the first Apply is what Undo restores
		next.Existed, next.Backup = old.Existed, old.Backup
		if old.After != sum(was.raw) {
			next.After = ""
		}
	}
	if err := s.write(was, now, &next); err != nil {
		return Done{}, err
	}
	done.Changed = true
	return done, nil
}

// Undo takes back what Apply did: the whole file, byte for byte, if nobody has
// changed it since, else the door's keys that still have our values. It fails
// with Conflict, and touches nothing, if the file is not JSON any more.
func (s Settings) Undo() (Done, error) {
	was, err := s.open()
	if err != nil {
		return Done{}, err
	}
	old, have := s.recall(was.path)
	done := Done{File: was.path}
	if !have || !was.existed {
		return done, s.forget(was.path)
	}
	restored, whole := s.original(old, was)
	if !whole {
		restored = revert(was.text, old)
	}
	switch {
	case whole && !old.Existed:
		err = os.Remove(was.path)
	case bytes.Equal(restored, was.raw):
		return done, s.forget(was.path)
	default:
		if !whole {
			if done.Backup, err = s.backup(was); err != nil {
				return Done{}, err
			}
		}
		err = atomicfile.Replace(was.path, restored, atomicfile.SecretDir, was.mode)
	}
	if err != nil {
		return Done{}, fmt.Errorf("restoring the settings: %w", err)
	}
	done.Changed = true
	if whole && old.Backup != "" {
		_ = os.Remove(old.Backup) // the file itself is the copy now
	}
	return done, s.forget(was.path)
}

// original returns the bytes from before the first Apply, if they may be put
// back over what is there now.
func (s Settings) original(old record, was opened) (text, bool) {
	if old.After == "" || old.After != sum(was.raw) {
		return nil, false
	}
	if !old.Existed {
		return nil, true
	}
	b, err := os.ReadFile(old.Backup)
	return b, err == nil
}

func revert(t text, old record) text {
	for _, c := range old.Changes {
		if !bytes.Equal(t.get(c.Path), c.raw()) {
			continue
		}
		if c.Before != nil {
			t = t.set(c.Path, c.Before)
		} else {
			t = t.remove(c.Path)
		}
	}
	if old.EnvAdded && t.emptyObject([]string{"env"}) {
		t = t.remove([]string{"env"})
	}
	return t
}

type opened struct {
	path    string
	existed bool
	raw     []byte
	text    text
	mode    fs.FileMode
}

func (s Settings) open() (opened, error) {
	o := opened{path: resolve(s.File), mode: atomicfile.SecretFile}
	real, err := filepath.EvalSymlinks(s.File)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Lstat(s.File); err == nil {
			return opened{}, fault.New(fault.Conflict, "%s is a symbolic link to nowhere", s.File).WithHint("ls -l " + s.File)
		}
		o.text = text("{}\n")
		return o, nil
	}
	if err != nil {
		return opened{}, fmt.Errorf("finding the settings: %w", err)
	}
	o.path, o.existed = real, true
	if o.raw, o.mode, err = readAll(real); err != nil {
		return opened{}, err
	}
	if o.text, err = parse(o.raw); err != nil {
		return opened{}, fault.New(fault.Conflict, "%s was not touched, because %w", real, err).WithHint("claude doctor")
	}
	return o, nil
}

// resolve names a file that may not exist yet as it will be named when it does.
func resolve(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	if dir := filepath.Dir(path); dir != path {
		return filepath.Join(resolve(dir), filepath.Base(path))
	}
	return path
}

func readAll(path string) ([]byte, fs.FileMode, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, fmt.Errorf("opening the settings: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, 0, fmt.Errorf("looking at the settings: %w", err)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxSettings+1))
	if err != nil {
		return nil, 0, fmt.Errorf("reading the settings: %w", err)
	}
	if len(b) > maxSettings {
		return nil, 0, fault.New(fault.Conflict, "%s is larger than Claude Code reads", path)
	}
	return b, info.Mode().Perm(), nil
}

// backup copies what is there to a new file beside it, with the same mode.
func (s Settings) backup(was opened) (string, error) {
	if !was.existed {
		return "", nil
	}
	stem := was.path + ".gatehouse-" + s.Now().UTC().Format("20060102T150405Z")
	for try := range 100 {
		path := stem + ".bak"
		if try > 0 {
			path = fmt.Sprintf("%s-%d.bak", stem, try)
		}
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, was.mode)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("making a copy of the settings: %w", err)
		}
		_, err = f.Write(was.raw)
		if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
			return "", fmt.Errorf("making a copy of the settings: %w", err)
		}
		return path, nil
	}
	return "", fault.New(fault.Conflict, "there are too many copies named %s*", stem)
}

// write puts the record in place before the file: a record without its change
// takes nothing back, a change without its record could never be.
func (s Settings) write(was opened, now text, r *record) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the record of the change: %w", err)
	}
	if err := atomicfile.Replace(s.recordOf(was.path), append(b, '\n'), atomicfile.SecretDir, atomicfile.SecretFile); err != nil {
		return fmt.Errorf("recording the change: %w", err)
	}
	if err := atomicfile.Replace(was.path, now, atomicfile.SecretDir, was.mode); err != nil {
		return fmt.Errorf("writing the settings: %w", err)
	}
	return nil
}

func (s Settings) recordOf(path string) string {
	return filepath.Join(s.Records, sum([]byte(path))[:16]+".json")
}

func (s Settings) recall(path string) (record, bool) {
	b, err := atomicfile.ReadPrivate(s.recordOf(path), maxSettings)
	var r record
	if err != nil || json.Unmarshal(b, &r) != nil || r.File != path {
		return record{}, false
	}
	return r, true
}

func (s Settings) forget(path string) error {
	if err := os.Remove(s.recordOf(path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forgetting the change: %w", err)
	}
	return nil
}

func sum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}
