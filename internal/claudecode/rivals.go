package claudecode

import (
	"errors"
	"io/fs"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/jsontext"
	"github.com/gatehouse-dev/gatehouse/internal/settingsfile"
)

// Rivals are what Claude Code would use instead of a door: variables of the
// environment, and keys of settings files. Files that are not there are passed
// over. It fails with Conflict for one that cannot be read as settings. Nothing
// is changed, and no value is told.
func Rivals(d Door, files []string, getenv func(string) string) ([]Conflict, error) {
	list := d.InEnvironment(getenv)
	for _, file := range files {
		t, err := settingsfile.Read(file, jsontext.Strict)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			if fault.Is(err, fault.Conflict) {
				return list, err
			}
			return list, fault.Wrap(fault.Conflict, err, file+" cannot be read")
		}
		list = append(list, d.InSettings(t, file)...)
	}
	return list, nil
}
