package settingsfile

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gatehouse-dev/gatehouse/internal/atomicfile"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/jsontext"
)

// record is what an undo needs to know about the last change.
type record struct {
	File    string     `json:"file"`
	Existed bool       `json:"existed"`
	Backup  string     `json:"backup,omitempty"`
	After   string     `json:"sha256_after"` // "": only the members can be taken back
	Sets    []set      `json:"sets"`
	Made    [][]string `json:"made,omitempty"` // objects and lists that were not there
}

// set is one member that was written. The values are texts, so that encoding
// the record does not touch how they are written.
type set struct {
	Path   []string `json:"path"`
	Value  string   `json:"value"`
	Had    bool     `json:"had,omitempty"`
	Before string   `json:"before,omitempty"`
}

func revert(t jsontext.Text, old record) jsontext.Text {
	for _, s := range old.Sets {
		if len(s.Path) == 0 || string(t.Get(s.Path)) != s.Value {
			continue
		}
		if s.Had {
			t = t.Set(s.Path, json.RawMessage(s.Before))
		} else {
			t = t.Remove(s.Path)
		}
	}
	for i := len(old.Made) - 1; i >= 0; i-- {
		if t.Empty(old.Made[i]) {
			t = t.Remove(old.Made[i])
		}
	}
	return t
}

// backup copies what is there to a new file beside it, with the same mode.
func (p Plan) backup() (string, error) {
	if !p.Existed {
		return "", nil
	}
	stem := p.Path + ".gatehouse-" + p.file.Now().UTC().Format("20060102T150405Z")
	for try := range 100 {
		path := stem + ".bak"
		if try > 0 {
			path = fmt.Sprintf("%s-%d.bak", stem, try)
		}
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, p.mode)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("making a copy of the settings: %w", err)
		}
		_, err = f.Write(p.Before)
		if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
			return "", fmt.Errorf("making a copy of the settings: %w", err)
		}
		return path, nil
	}
	return "", fault.New(fault.Conflict, "there are too many copies named %s*", stem)
}

func (f File) recordOf(path string) string {
	return filepath.Join(f.Records, sum([]byte(path))[:16]+".json")
}

func (f File) remember(r record) error {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetIndent("", "  ")
	if err := enc.Encode(r); err != nil {
		return fmt.Errorf("encoding the record of the change: %w", err)
	}
	if err := atomicfile.Replace(f.recordOf(r.File), out.Bytes(), atomicfile.SecretDir, atomicfile.SecretFile); err != nil {
		return fmt.Errorf("recording the change: %w", err)
	}
	return nil
}

// A record holds what was replaced, twice at most, and little else.
const maxRecord = 4 * MaxSize

func (f File) recall(path string) (record, bool) {
	b, err := atomicfile.ReadPrivate(f.recordOf(path), maxRecord)
	var r record
	if err != nil || json.Unmarshal(b, &r) != nil || r.File != path {
		return record{}, false
	}
	return r, true
}

func (f File) forget(path string) error {
	if err := os.Remove(f.recordOf(path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forgetting the change: %w", err)
	}
	return nil
}

func sum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}
