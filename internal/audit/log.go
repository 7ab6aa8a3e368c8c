package audit

import (
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

// Extends proves that the log with one signed head begins with the log that an
// earlier head states. The reader is not trusted: hashes that were rewritten do
// not prove it. It fails with a *BrokenError, and reads O(log n) hashes.
func Extends(head, earlier tlog.Tree, r HashReader) error {
	switch {
	case earlier.N == 0:
		return nil
	case head.N < earlier.N:
		return &BrokenError{head.N, fmt.Errorf("it is missing; the log had %d entries before", earlier.N)}
	}
	proof, err := tlog.ProveTree(head.N, earlier.N, r)
	if err != nil {
		return fmt.Errorf("proving the log of %d entries: %w", earlier.N, err)
	}
	if tlog.CheckTree(proof, head.N, head.Hash, earlier.N, earlier.Hash) != nil {
		return &BrokenError{0, fmt.Errorf("the log does not begin with the %d entries that it had before", earlier.N)}
	}
	return nil
}

// known are hashes by position.
type known map[int64]Hash

// ReadHashes implements HashReader.
func (k known) ReadHashes(positions []int64) ([]Hash, error) {
	out := make([]Hash, len(positions))
	for i, p := range positions {
		h, ok := k[p]
		if !ok {
			return nil, fmt.Errorf("hash %d is not on the log's edge", p)
		}
		out[i] = h
	}
	return out, nil
}

func (k known) add(index int64, hashes []Hash) {
	for i, h := range hashes {
		k[Position(index)+int64(i)] = h
	}
}

// LeafHash is the hash that is kept for a leaf.
func LeafHash(leaf []byte) Hash { return tlog.RecordHash(leaf) }
