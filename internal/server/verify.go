package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/store"
	"golang.org/x/mod/sumdb/tlog"
)

// Proof is what Verify found.
type Proof struct {
	Entries int64
	Erased  int64 // entries without their detail
	Kept    []KeptHead
	Head    string // the signed head, to be kept elsewhere and compared later
}

// KeptHead is an earlier head that the log was compared with.
type KeptHead struct {
	File    string
	Entries int64

	tree tlog.Tree
}

// stride is how many entries are read at once.
const stride = 1000

// Verify replays the activity log and compares it with its signed head, with
// the head that the server keeps in its data folder, and with those in files
// kept elsewhere. It fails with an *audit.BrokenError that names the first entry
// that does not hold.
func (s *Server) Verify(ctx context.Context, files ...string) (Proof, error) {
	// First, so that a log that grows meanwhile is never behind them.
	kept, err := s.keptHeads(files)
	if err != nil {
		return Proof{}, err
	}
	extent, err := s.db.Activities().Extent(ctx)
	if err != nil {
		return Proof{}, err
	}
	if extent.Before != nil {
		return Proof{}, &audit.BrokenError{Index: *extent.Before, Err: errors.New("no entry was ever recorded at this place")}
	}
	log, err := s.replay(ctx, extent.Size, kept)
	if err != nil {
		return Proof{}, err
	}
	head, err := audit.OpenHead(extent.Signed, s.secrets.LogVerifier)
	if err != nil {
		return Proof{}, &audit.BrokenError{Index: 0, Err: err}
	}
	if err := log.Finish(head); err != nil {
		return Proof{}, err
	}
	if err := outside(extent, kept); err != nil {
		return Proof{}, err
	}
	return Proof{Entries: extent.Size, Erased: log.Erased(), Kept: kept, Head: extent.Signed}, nil
}

// outside fails if something is stored that the log does not count.
func outside(e store.Extent, kept []KeptHead) error {
	for _, k := range kept {
		if k.Entries > e.Size {
			return &audit.BrokenError{Index: e.Size, Err: fmt.Errorf("it is missing; the head kept in %s counts %d entries", k.File, k.Entries)}
		}
	}
	if e.After != nil {
		return &audit.BrokenError{Index: *e.After, Err: fmt.Errorf("it was never recorded; the log counts %d entries", e.Size)}
	}
	if e.Hash != nil {
		return &audit.BrokenError{Index: e.Size, Err: fmt.Errorf("it was never recorded, yet a hash is stored at %d; the log counts %d entries", *e.Hash, e.Size)}
	}
	return nil
}

// replay reads the log and compares it with every kept head on the way.
func (s *Server) replay(ctx context.Context, size int64, kept []KeptHead) (*audit.Verifier, error) {
	log := &audit.Verifier{}
	kept, err := reached(log, kept)
	if err != nil {
		return nil, err
	}
	for log.Size() < size {
		entries, err := s.db.Activities().Proof(ctx, log.Size(), min(log.Size()+stride, size))
		if err != nil {
			return nil, err
		}
		if len(entries) == 0 {
			return nil, &audit.BrokenError{Index: log.Size(), Err: fmt.Errorf("it is missing; the log counts %d entries", size)}
		}
		for _, e := range entries {
			if err := log.Add(e); err != nil {
				return nil, err
			}
			if kept, err = reached(log, kept); err != nil {
				return nil, err
			}
		}
	}
	return log, nil
}

// reached compares the log with the kept heads of exactly its size and returns
// the others.
func reached(log *audit.Verifier, kept []KeptHead) ([]KeptHead, error) {
	for len(kept) > 0 && kept[0].Entries == log.Size() {
		if err := log.Reached(kept[0].tree); err != nil {
			return nil, fmt.Errorf("compared with the head kept in %s: %w", kept[0].File, err)
		}
		kept = kept[1:]
	}
	return kept, nil
}

// keptHeads reads the server's own kept head, if it has one, and those of
// files, by how much of the log they state.
func (s *Server) keptHeads(files []string) ([]KeptHead, error) {
	var all []KeptHead
	own, err := s.keptHead()
	if err != nil {
		return nil, err
	}
	if own != nil {
		all = append(all, *own)
	}
	for _, file := range files {
		text, err := readHead(file)
		if err != nil {
			return nil, err
		}
		kept, err := s.openKept(file, text)
		if err != nil {
			return nil, err
		}
		all = append(all, *kept)
	}
	slices.SortStableFunc(all, func(a, b KeptHead) int { return cmp.Compare(a.Entries, b.Entries) })
	return all, nil
}
