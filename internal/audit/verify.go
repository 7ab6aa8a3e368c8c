package audit

import (
	"errors"
	"fmt"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"
)

// Stored is all that is kept of an entry: itself, and the hashes that belong to
// it from Position(Index) on, one for its leaf and one for each subtree that it
// completes. A hash that is not there is zero.
type Stored struct {
	Entry
	Hashes []Hash
}

// HashCount is how many hashes belong to an entry.
func HashCount(index int64) int { return 1 + bits.TrailingZeros64(uint64(index)+1) }

// Verifier replays a log entry by entry. Its zero value begins with an empty
// log; it keeps a few hashes a level and nothing else, so a log of any length
// is verified in constant memory.
type Verifier struct {
	size   int64
	proven int64 // entries before this one were stated by a head
	erased int64
	edge   known // what later hashes are made of
}

// Add takes the next entry, and fails with a *BrokenError if it is out of
// order, if its detail or a column was changed, or if its leaf is not what the
// stored hashes were made from.
func (v *Verifier) Add(n Stored) error {
	if n.Index != v.size {
		return &BrokenError{v.size, fmt.Errorf("it is missing; the next one stored is %d", n.Index)}
	}
	_, leaf, err := n.open()
	if err != nil {
		return &BrokenError{n.Index, err}
	}
	if v.edge == nil {
		v.edge = known{}
	}
	hashes, err := tlog.StoredHashes(n.Index, n.Leaf, v.edge)
	if err != nil {
		return &BrokenError{n.Index, err}
	}
	if err := compare(n, hashes); err != nil {
		return err
	}
	if column := n.Columns.differs(leaf); column != "" {
		return &BrokenError{n.Index, fmt.Errorf("its column %s is not what was recorded", column)}
	}
	if n.Detail == nil {
		v.erased++
	}
	v.edge.add(n.Index, hashes)
	v.size++
	v.forget()
	return nil
}

// compare checks the hashes kept for an entry. One that covers several entries
// accuses the first of them, as any may have been rewritten with its own hash.
func compare(n Stored, hashes []Hash) error {
	for level, h := range hashes {
		if level < len(n.Hashes) && n.Hashes[level] == h {
			continue
		}
		if level == 0 {
			return &BrokenError{n.Index, errors.New("its content is not what was recorded")}
		}
		first := n.Index + 1 - 1<<level
		return &BrokenError{first, fmt.Errorf("the hash kept over entries %d to %d is not theirs: one of them was rewritten with its own hash", first, n.Index)}
	}
	return nil
}

// Size is how many entries were added.
func (v *Verifier) Size() int64 { return v.size }

// Erased is how many of them have no detail any more.
func (v *Verifier) Erased() int64 { return v.erased }

// Reached compares the replayed log with a head that states exactly its size.
func (v *Verifier) Reached(head tlog.Tree) error {
	if head.N != v.size {
		return fmt.Errorf("a head of %d entries says nothing of a log of %d", head.N, v.size)
	}
	root, err := tlog.TreeHash(v.size, v.edge)
	if err != nil {
		return fmt.Errorf("hashing the log: %w", err)
	}
	if root != head.Hash {
		return &BrokenError{v.proven, fmt.Errorf("the root of the log's first %d entries is not the signed one: entries and their hashes were rewritten together", v.size)}
	}
	v.proven = v.size
	return nil
}

// Finish compares the replayed log with its own signed head.
func (v *Verifier) Finish(head tlog.Tree) error {
	if head.N > v.size {
		return &BrokenError{v.size, fmt.Errorf("it is missing; the signed head counts %d entries", head.N)}
	}
	if head.N < v.size {
		return &BrokenError{head.N, errors.New("it is not covered by the signed head")}
	}
	return v.Reached(head)
}

// forget drops the hashes that no later entry needs: all but the roots of the
// complete subtrees that the log consists of.
func (v *Verifier) forget() {
	if len(v.edge) < 1024 {
		return
	}
	keep := known{}
	var start int64
	for level := 62; level >= 0; level-- {
		if v.size&(1<<level) == 0 {
			continue
		}
		p := tlog.StoredHashIndex(level, start>>level)
		keep[p] = v.edge[p]
		start += 1 << level
	}
	v.edge = keep
}
