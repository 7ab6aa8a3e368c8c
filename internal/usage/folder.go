package usage

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/gofrs/flock"
)

// claim is a folder that is locked by this process.
type claim struct {
	path string
	lock *flock.Flock
}

func (c *claim) release() error { return c.lock.Unlock() }

const maxFolders = 1000

// claimAll locks every folder of a ledger that nobody lives in, making one if
// there is none. The first is for the process to live in; in the others
// processes have died.
//
// A folder is never removed, not even when it is empty: two processes could then
// hold locks on two files of one name.
func claimAll(dir string) ([]*claim, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the ledger's folder: %w", err)
	}
	var mine []*claim
	for n := 1; n <= maxFolders; n++ {
		path := filepath.Join(dir, strconv.Itoa(n))
		if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) && len(mine) > 0 {
			return mine, nil
		}
		if err := os.MkdirAll(path, 0o700); err != nil {
			return nil, errors.Join(fmt.Errorf("making the ledger's folder: %w", err), releaseAll(mine))
		}
		lock := flock.New(filepath.Join(path, "lock"), flock.SetPermissions(0o600))
		ok, err := lock.TryLock()
		if err != nil {
			return nil, errors.Join(fmt.Errorf("locking the ledger's folder: %w", err), releaseAll(mine))
		}
		if ok {
			mine = append(mine, &claim{path, lock})
		}
	}
	if len(mine) == 0 {
		return nil, fmt.Errorf("%d processes live in %s", maxFolders, dir)
	}
	return mine, nil
}

func releaseAll(claims []*claim) error {
	var all error
	for _, c := range claims {
		all = errors.Join(all, c.release())
	}
	return all
}

// run is what one process left in its folder.
type run struct {
	folder   string
	number   uint64
	segments []string // paths, in order
	slots    string   // path; empty: none
}

func segmentName(run, number uint64) string { return fmt.Sprintf("%08d-%08d.seg", run, number) }

func slotsName(run uint64) string { return fmt.Sprintf("%08d.slots", run) }

// runs lists the runs that left something in a folder, the oldest first.
func runs(folder string) ([]*run, error) {
	files, err := os.ReadDir(folder)
	if err != nil {
		return nil, fmt.Errorf("reading the ledger's folder: %w", err)
	}
	byNumber := map[uint64]*run{}
	for _, f := range files { // in the order of their names, which is theirs
		stem, kind, _ := strings.Cut(f.Name(), ".")
		number, err := strconv.ParseUint(stem[:min(len(stem), 8)], 10, 64)
		if err != nil || kind != "seg" && kind != "slots" {
			continue
		}
		r := byNumber[number]
		if r == nil {
			r = &run{folder: folder, number: number}
			byNumber[number] = r
		}
		path := filepath.Join(folder, f.Name())
		if kind == "slots" {
			r.slots = path
		} else {
			r.segments = append(r.segments, path)
		}
	}
	var all []*run
	for _, r := range byNumber {
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b *run) int { return int(a.number) - int(b.number) })
	return all, nil
}

// remove deletes what the run left, the progress last: without it a request
// that is found open again would be estimated worse.
func (r *run) remove() error {
	for _, path := range r.segments {
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	if r.slots == "" {
		return nil
	}
	return os.Remove(r.slots)
}

// aside keeps bytes that cannot be read, for people to look at.
func aside(segment string, at int, data string) (path string, err error) {
	path = fmt.Sprintf("%s.damaged-%d", segment, at)
	return path, os.WriteFile(path, []byte(data), 0o600)
}
