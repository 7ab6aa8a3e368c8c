package claudecode

import (
	"errors"
	"io/fs"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

// Rivals are what Claude Code would use instead of a door: variables of the
// environment, and keys of settings files. Files that are not there are passed
// over. It fails with Conflict for one that cannot be read as settings. Nothing
// is changed, and no value is told.
func Rivals(d Door, files []string, getenv func(string) string) ([]Conflict, error) {
	list := conflicts(d, text("{}"), "", getenv)
	for _, file := range files {
		raw, _, err := readAll(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return list, fault.Wrap(fault.Conflict, err, file+" cannot be read")
		}
		t, err := parse(raw)
		if err != nil {
			return list, fault.New(fault.Conflict, "%s cannot be read, because %w", file, err)
		}
		list = append(list, conflicts(d, t, file, func(string) string { return "" })...)
	}
	return list, nil
}
