package server

import (
	"context"
	"fmt"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
)

// Proof is what Verify found.
type Proof struct {
	Entries int64
	Head    string // the signed head, to be kept elsewhere and compared later
}

// Verify replays the activity log and compares it with its signed head. It fails
// with an *audit.BrokenError that names the first entry that does not hold.
func (s *Server) Verify(ctx context.Context) (Proof, error) {
	size, signed, err := s.db.Activities().Head(ctx)
	if err != nil {
		return Proof{}, err
	}
	var log audit.Verifier
	for log.Size() < size {
		entries, hashes, err := s.db.Activities().Proof(ctx, log.Size(), 1000)
		if err != nil {
			return Proof{}, err
		}
		if len(entries) == 0 || entries[0].Index >= size {
			return Proof{}, &audit.BrokenError{Index: log.Size(), Err: fmt.Errorf("it is missing; the log counts %d entries", size)}
		}
		for i, e := range entries {
			if e.Index >= size {
				break // appended since we read the head
			}
			if err := log.Add(e, hashes[i]); err != nil {
				return Proof{}, err
			}
		}
	}
	head, err := audit.OpenHead(signed, s.secrets.LogVerifier)
	if err != nil {
		return Proof{}, err
	}
	return Proof{Entries: size, Head: signed}, log.Finish(head)
}
