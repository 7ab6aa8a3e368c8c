package audit

import (
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Hash is a node of the log's tree.
type Hash = tlog.Hash

// LogName is the name under which heads are signed.
const LogName = "gatehouse-activity"

// HashReader returns stored hashes by position, as tlog numbers them.
type HashReader = tlog.HashReader

// Position is where the first stored hash of an entry belongs.
func Position(index int64) int64 { return tlog.StoredHashIndex(0, index) }

// Hashes returns what is to be stored, from Position(index) on, when a leaf
// becomes entry index of the log.
func Hashes(index int64, leaf []byte, r HashReader) ([]Hash, error) {
	return tlog.StoredHashes(index, leaf, r)
}

// SignHead states and signs the head of a log of a size. The note's text is a
// tree description as in tlog.FormatTree.
func SignHead(size int64, r HashReader, signer note.Signer) (string, error) {
	root, err := tlog.TreeHash(size, r)
	if err != nil {
		return "", fmt.Errorf("hashing the log of %d entries: %w", size, err)
	}
	signed, err := note.Sign(&note.Note{Text: string(tlog.FormatTree(tlog.Tree{N: size, Hash: root}))}, signer)
	if err != nil {
		return "", fmt.Errorf("signing the log of %d entries: %w", size, err)
	}
	return string(signed), nil
}

// OpenHead checks a signed head and returns what it states.
func OpenHead(signed string, verifier note.Verifier) (tlog.Tree, error) {
	n, err := note.Open([]byte(signed), note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, fmt.Errorf("the head of the log is not signed by the log's key: %w", err)
	}
	return tlog.ParseTree([]byte(n.Text))
}

// BrokenError names the first entry at which a log does not hold.
type BrokenError struct {
	Index int64
	Err   error
}

func (e *BrokenError) Error() string { return fmt.Sprintf("entry %d is broken: %v", e.Index, e.Err) }
func (e *BrokenError) Unwrap() error { return e.Err }

// Verifier replays a log entry by entry. Its zero value begins with an empty
// log; it keeps a few hashes a level and nothing else, so a log of any length
// is verified in constant memory.
type Verifier struct {
	size   int64
	stored map[int64]Hash // the frontier: what later hashes are made of
}

// Add takes the next entry and the hash stored for it, and fails with a
// *BrokenError if the entry is out of order, its detail was changed, or its
// leaf is not what the stored hash was made from.
func (v *Verifier) Add(n Entry, stored Hash) error {
	if n.Index != v.size {
		return &BrokenError{v.size, fmt.Errorf("it is missing; the next one stored is %d", n.Index)}
	}
	if _, err := n.Open(); err != nil {
		return &BrokenError{n.Index, err}
	}
	if tlog.RecordHash(n.Leaf) != stored {
		return &BrokenError{n.Index, errors.New("its content is not what was recorded")}
	}
	if v.stored == nil {
		v.stored = map[int64]Hash{}
	}
	hashes, err := tlog.StoredHashesForRecordHash(n.Index, stored, v)
	if err != nil {
		return &BrokenError{n.Index, err}
	}
	first := Position(n.Index)
	for i, h := range hashes {
		v.stored[first+int64(i)] = h
	}
	v.size++
	v.forget()
	return nil
}

// Size is how many entries were added.
func (v *Verifier) Size() int64 { return v.size }

// Finish compares the replayed log with its signed head.
func (v *Verifier) Finish(head tlog.Tree) error {
	if head.N > v.size {
		return &BrokenError{v.size, fmt.Errorf("it is missing; the signed head counts %d entries", head.N)}
	}
	if head.N < v.size {
		return &BrokenError{head.N, errors.New("it is not covered by the signed head")}
	}
	root, err := tlog.TreeHash(v.size, v)
	if err != nil {
		return fmt.Errorf("hashing the log: %w", err)
	}
	if root != head.Hash {
		return &BrokenError{0, errors.New("the log's root is not the signed one: entries and their hashes were rewritten together")}
	}
	return nil
}

// ReadHashes makes the Verifier a HashReader over its frontier.
func (v *Verifier) ReadHashes(positions []int64) ([]Hash, error) {
	out := make([]Hash, len(positions))
	for i, p := range positions {
		h, ok := v.stored[p]
		if !ok {
			return nil, fmt.Errorf("hash %d is not on the frontier", p)
		}
		out[i] = h
	}
	return out, nil
}

// forget drops the hashes that no later entry needs: all but the roots of the
// complete subtrees that the log consists of.
func (v *Verifier) forget() {
	if len(v.stored) < 1024 {
		return
	}
	keep := map[int64]Hash{}
	var start int64
	for level := 62; level >= 0; level-- {
		if v.size&(1<<level) == 0 {
			continue
		}
		p := tlog.StoredHashIndex(level, start>>level)
		keep[p] = v.stored[p]
		start += 1 << level
	}
	v.stored = keep
}
