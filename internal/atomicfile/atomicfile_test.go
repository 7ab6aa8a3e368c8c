package atomicfile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/atomicfile"
)

func TestReplaceSetsContentAndMode(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a", "b", "file")
	for _, mode := range []fs.FileMode{0o600, 0o644, 0o600} {
		if err := atomicfile.Replace(path, []byte(mode.String()), 0o700, mode); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(path)
		info, statErr := os.Stat(path)
		if err != nil || statErr != nil || string(b) != mode.String() || info.Mode() != mode {
			t.Errorf("%q, %v, %v, %v", b, info, err, statErr)
		}
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

func TestReplaceRefusesWhatIsNoFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	target, link, folder := filepath.Join(dir, "target"), filepath.Join(dir, "link"), filepath.Join(dir, "folder")
	if err := errors.Join(os.WriteFile(target, []byte("old"), 0o600), os.Symlink(target, link), os.Mkdir(folder, 0o700)); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{link, folder} {
		if err := atomicfile.Replace(path, []byte("new"), 0o700, 0o600); err == nil {
			t.Errorf("%s was replaced", path)
		}
	}
	if b, err := os.ReadFile(target); err != nil || string(b) != "old" {
		t.Errorf("written through a link: %q, %v", b, err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 3 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

// Whoever reads while others write sees one whole content.
func TestReadersSeeWholeContents(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "file")
	content := func(c string) []byte { return []byte(strings.Repeat(c, 10000)) }
	if err := atomicfile.Replace(path, content("a"), 0o700, 0o600); err != nil {
		t.Fatal(err)
	}
	var writers sync.WaitGroup
	for _, c := range []string{"a", "b", "c"} {
		writers.Go(func() {
			for range 20 {
				if err := atomicfile.Replace(path, content(c), 0o700, 0o600); err != nil {
					t.Error(err)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { writers.Wait(); close(done) }()
	for {
		b, err := atomicfile.ReadPrivate(path, 1<<20)
		if err != nil || len(b) != 10000 || strings.Trim(string(b), string(b[:1])) != "" {
			t.Fatalf("read %d bytes, %v", len(b), err)
		}
		select {
		case <-done:
			return
		default:
		}
	}
}

func TestReadPrivate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "it's a file")
	if _, err := atomicfile.ReadPrivate(path, 10); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if err := os.WriteFile(path, []byte("0123456789"), 0o600); err != nil {
		t.Fatal(err)
	}
	if b, err := atomicfile.ReadPrivate(path, 10); err != nil || string(b) != "0123456789" {
		t.Errorf("%q, %v", b, err)
	}
	if _, err := atomicfile.ReadPrivate(path, 9); err == nil {
		t.Error("more than the limit was read")
	}
	for _, mode := range []fs.FileMode{0o640, 0o604, 0o620, 0o601} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := atomicfile.ReadPrivate(path, 10)
		if unsafe, ok := errors.AsType[*atomicfile.UnsafeError](err); !ok || unsafe.Mend != "chmod 600 '"+strings.Replace(path, "'", `'\''`, 1)+"'" {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
}
