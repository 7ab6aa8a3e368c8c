package atomicfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Modes of what is secret and of what is not.
const (
	SecretDir  fs.FileMode = 0o700
	SecretFile fs.FileMode = 0o600
	PublicDir  fs.FileMode = 0o755
	PublicFile fs.FileMode = 0o644
)

// UnsafeError is about a file that somebody else could read, change or have
// put there. Mend is the command that a person runs against it.
type UnsafeError struct {
	Path    string
	Problem string
	Mend    string
}

func (e *UnsafeError) Error() string { return e.Path + " " + e.Problem }

func unsafe(path, problem, mend string) error {
	return &UnsafeError{Path: path, Problem: problem, Mend: mend + " " + quote(path)}
}

// quote writes a path for a POSIX shell.
func quote(path string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+,:@", r)
	}
	if path != "" && strings.IndexFunc(path, func(r rune) bool { return !plain(r) }) < 0 {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}

// Replace makes data the whole content of path, with exactly the given mode.
// Folders that are missing are made with dirMode. It refuses a target that is a
// symbolic link or anything else but a regular file (*UnsafeError).
func Replace(path string, data []byte, dirMode, mode fs.FileMode) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return fmt.Errorf("making the folder: %w", err)
	}
	if err := refuseOdd(path); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, filepath.Base(path)+".*.tmp")
	if err != nil {
		return fmt.Errorf("making a temporary file: %w", err)
	}
	if err := fill(f, data, mode); err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("writing a temporary file: %w", err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("putting the new file in place: %w", err)
	}
	syncDir(dir)
	return nil
}

func refuseOdd(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("looking at the file: %w", err)
	case !info.Mode().IsRegular():
		return unsafe(path, "is not a regular file", "rm")
	}
	return nil
}

func fill(f *os.File, data []byte, mode fs.FileMode) error {
	_, err := f.Write(data)
	if err == nil {
		err = f.Chmod(mode)
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// The rename is already visible when this runs; a file system that cannot sync
// a folder loses nothing but speed of recovery.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
}

// ReadPrivate returns the content of a file of at most limit bytes that only
// this user can read. It fails with fs.ErrNotExist if there is none, and with
// *UnsafeError for a link, a foreign owner, a mode that lets others in, or what
// is larger.
func ReadPrivate(path string, limit int64) ([]byte, error) {
	f, err := openNoFollow(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("looking at the file: %w", err)
	}
	if err := checkPrivate(path, info); err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, fmt.Errorf("reading the file: %w", err)
	}
	if int64(len(b)) > limit {
		return nil, unsafe(path, fmt.Sprintf("is larger than %d bytes", limit), "rm")
	}
	return b, nil
}

// Remove removes a file. It is no error if there is none.
func Remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing the file: %w", err)
	}
	return nil
}

// Damaged is the ending of the name of a file that was set aside.
const Damaged = ".damaged"

// SetAside renames a file, or whatever has its name, to path + Damaged and
// returns that. An older one of that name is replaced. It is no error if there
// is none.
func SetAside(path string) (string, error) {
	aside := path + Damaged
	_ = os.Remove(aside) // the rename says what was in the way
	if err := os.Rename(path, aside); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("setting the file aside: %w", err)
	}
	return aside, nil
}
