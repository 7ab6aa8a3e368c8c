package settingsfile

import (
	"bytes"
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
	"github.com/gatehouse-dev/gatehouse/internal/jsontext"
)

// MaxSize is what Claude Code itself reads at most of a settings file.
const MaxSize = 2 << 20

// File is one settings file. Path, Records and Now are required.
type File struct {
	Path    string // a symbolic link is followed, the file behind it changed
	Dialect jsontext.Dialect
	Records string // a folder of ours, for what PlanUndo needs
	Shared  bool   // a new file may be read by everybody; the default is its owner alone
	Mend    string // the command that looks into a broken file; "" is ls -l
	Now     func() time.Time
}

// Change is one member of a file: a path for package jsontext, and the raw JSON
// that shall stand there.
type Change struct {
	Path  []string
	Value json.RawMessage
}

// Text is the change of one member to a text.
func Text(value string, path ...string) Change { return Change{Path: path, Value: Quote(value)} }

// Quote writes a text as JSON, as a person would: < and & as they are.
func Quote(value any) json.RawMessage {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(value) // texts and what is made of them always encode
	return bytes.TrimSpace(out.Bytes())
}

// Plan is what would happen to a file. The zero Plan changes nothing.
type Plan struct {
	Path    string // the file itself, behind links
	Existed bool
	Before  []byte
	After   []byte
	Removes bool // the file goes: it was not there before we came
	Edited  bool // an undo that only takes our members out, because the file was edited meanwhile

	file   File
	mode   fs.FileMode
	record *record // to write; nil: to forget
	spare  string  // a copy that is not needed any more afterwards
}

// Changed reports whether Commit would change the file.
func (p Plan) Changed() bool { return p.Removes || p.Path != "" && !bytes.Equal(p.Before, p.After) }

// Plan finds out what the changes make of the file. What a Plan of ours set
// before is taken back first, so that one set of changes stands at a time. It
// fails with Conflict if the file cannot be read in its dialect.
func (f File) Plan(changes ...Change) (Plan, error) {
	was, err := f.open()
	if err == nil {
		err = was.parse(f, changes)
	}
	if err != nil {
		return Plan{}, err
	}
	base, next := was.text, record{File: was.path, Existed: was.existed}
	old, have := f.recall(was.path)
	if have {
		base = revert(base, old)
	}
	now := base
	for _, c := range changes {
		s := set{Path: c.Path, Value: string(c.Value)}
		if before := base.Get(c.Path); before != nil {
			s.Before, s.Had = string(before), true
		}
		for depth := 1; depth < len(c.Path); depth++ {
			if now.Get(c.Path[:depth]) == nil {
				next.Made = append(next.Made, c.Path[:depth])
			}
		}
		now = now.Set(c.Path, c.Value)
		next.Sets = append(next.Sets, s)
	}
	next.After = sum(now.Bytes())
	if have { // what was there before the first change is what an undo restores
		next.Existed, next.Backup = old.Existed, old.Backup
		if old.After != sum(was.raw) {
			next.After = ""
		}
	}
	p := was.plan(f, now.Bytes())
	p.record = &next
	if was.existed && bytes.Equal(now.Bytes(), was.raw) {
		p.After = was.raw
	}
	return p, nil
}

// PlanWhole finds out how to put a whole file where none is. It fails with
// Conflict if another is there.
func (f File) PlanWhole(content []byte) (Plan, error) {
	was, err := f.open()
	if err != nil {
		return Plan{}, err
	}
	p := was.plan(f, content)
	if p.Existed && !bytes.Equal(was.raw, content) {
		return Plan{}, fault.New(fault.Conflict, "%s is there already, and is another file", was.path).WithHint("ls -l " + was.path)
	}
	p.record = &record{File: was.path, After: sum(content)}
	return p, nil
}

// PlanUndo finds out how to take back what Commit did: the whole file, byte for
// byte, if nobody has changed it since, else the members that still have our
// values.
func (f File) PlanUndo() (Plan, error) {
	was, err := f.open()
	if err != nil {
		return Plan{}, err
	}
	old, have := f.recall(was.path)
	p := was.plan(f, was.raw)
	if !have || !was.existed {
		return p, nil
	}
	if old.After != "" && old.After == sum(was.raw) {
		if !old.Existed {
			p.Removes, p.After = true, nil
			return p, nil
		}
		if b, err := os.ReadFile(old.Backup); err == nil {
			p.After, p.spare = b, old.Backup
			return p, nil
		}
	}
	if len(old.Sets) == 0 { // a whole file, which is somebody else's now
		return p, nil
	}
	if err := was.parse(f, nil); err != nil {
		return Plan{}, err
	}
	reverted := revert(was.text, old).Bytes()
	if !bytes.Equal(reverted, was.text.Bytes()) {
		p.After, p.Edited = reverted, true
	}
	return p, nil
}

// Commit does what the plan says, and returns the path of the copy that it made
// of what was there; "" if none was needed. It fails with Conflict, and does
// nothing, if the file is not what the plan saw.
func (p Plan) Commit() (backup string, err error) {
	if p.Path == "" {
		return "", nil
	}
	if !p.Changed() {
		if p.record == nil {
			return "", p.file.forget(p.Path)
		}
		return "", nil
	}
	if err := p.same(); err != nil {
		return "", err
	}
	if p.Removes {
		if err := os.Remove(p.Path); err != nil {
			return "", fmt.Errorf("removing the settings: %w", err)
		}
		return "", p.file.forget(p.Path)
	}
	if p.record != nil || p.Edited {
		if backup, err = p.backup(); err != nil {
			return "", err
		}
	}
	if p.record != nil {
		if p.record.Backup == "" && p.record.Existed {
			p.record.Backup = backup
		}
		// The record goes before the file: a record without its change takes
		// nothing back, a change without its record could never be.
		if err := p.file.remember(*p.record); err != nil {
			return "", err
		}
	}
	dirMode := atomicfile.SecretDir
	if p.file.Shared {
		dirMode = atomicfile.PublicDir
	}
	if err := atomicfile.Replace(p.Path, p.After, dirMode, p.mode); err != nil {
		return "", fmt.Errorf("writing the settings: %w", err)
	}
	if p.record != nil {
		return backup, nil
	}
	if p.spare != "" {
		_ = os.Remove(p.spare) // the file itself is the copy now
	}
	return backup, p.file.forget(p.Path)
}

// same makes sure that what was planned is still what is there.
func (p Plan) same() error {
	b, _, err := readAll(p.Path)
	if errors.Is(err, fs.ErrNotExist) && !p.Existed || err == nil && p.Existed && bytes.Equal(b, p.Before) {
		return nil
	}
	return fault.New(fault.Conflict, "%s was changed while you looked", p.Path)
}

type opened struct {
	path    string
	existed bool
	raw     []byte
	text    jsontext.Text
	mode    fs.FileMode
}

func (o opened) plan(f File, after []byte) Plan {
	return Plan{Path: o.path, Existed: o.existed, Before: o.raw, After: after, file: f, mode: o.mode}
}

func (f File) open() (opened, error) {
	o := opened{path: resolve(f.Path), mode: atomicfile.SecretFile}
	if f.Shared {
		o.mode = atomicfile.PublicFile
	}
	real, err := filepath.EvalSymlinks(f.Path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Lstat(f.Path); err == nil {
			return opened{}, fault.New(fault.Conflict, "%s is a symbolic link to nowhere", f.Path).WithHint("ls -l " + f.Path)
		}
		return o, nil
	}
	if err != nil {
		return opened{}, fault.New(fault.Conflict, "%s cannot be found: %w", f.Path, err).WithHint("ls -l " + f.Path)
	}
	o.path, o.existed = real, true
	o.raw, o.mode, err = readAll(real)
	return o, err
}

// parse reads the file in its dialect, and makes sure that the changes fit in.
func (o *opened) parse(f File, changes []Change) (err error) {
	o.text, err = jsontext.Parse(o.raw, f.Dialect)
	for _, c := range changes {
		if err == nil {
			err = o.text.Check(c.Path)
		}
	}
	if err == nil {
		return nil
	}
	mend := f.Mend
	if mend == "" {
		mend = "ls -l " + o.path
	}
	return fault.New(fault.Conflict, "%s was not touched, because %w", o.path, err).WithHint(mend)
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

// readAll looks before it opens: a named pipe would hold us.
func readAll(path string) ([]byte, fs.FileMode, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, 0, fmt.Errorf("looking at the settings: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, 0, fault.New(fault.Conflict, "%s is not a file", path).WithHint("ls -ld " + path)
	}
	if err := owned(path, info); err != nil {
		return nil, 0, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, fmt.Errorf("opening the settings: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	if err != nil {
		return nil, 0, fmt.Errorf("reading the settings: %w", err)
	}
	if len(b) > MaxSize {
		return nil, 0, fault.New(fault.Conflict, "%s is larger than %d bytes", path, MaxSize).WithHint("ls -l " + path)
	}
	return b, info.Mode().Perm(), nil
}

// Read returns a settings file as it is, for looking at. It fails with
// fs.ErrNotExist if there is none, and with Conflict for what is no file of this
// user, too large, or not of the dialect.
func Read(path string, d jsontext.Dialect) (jsontext.Text, error) {
	b, _, err := readAll(path)
	if err != nil {
		return jsontext.Text{}, err
	}
	t, err := jsontext.Parse(b, d)
	if err != nil {
		return jsontext.Text{}, fault.New(fault.Conflict, "%s cannot be read, because %w", path, err)
	}
	return t, nil
}
