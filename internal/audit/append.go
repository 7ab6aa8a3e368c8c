package audit

import (
	"fmt"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Appender adds entries to the end of a log. It holds the log's edge, proven
// against the signed head, so nothing it signs rests on a hash that somebody
// rewrote in the meantime. Make it with Resume.
type Appender struct {
	size int64
	edge known
}

// Resume continues a log of a size under its signed head. It reads O(log size)
// hashes, at once, and fails if the head is not signed, states another size, or
// is not the head of these hashes. A log that has no head cannot be continued:
// the head of an empty log is signed when the log is made.
func Resume(size int64, signed string, verifier note.Verifier, r HashReader) (*Appender, error) {
	head, err := OpenHead(signed, verifier)
	if err != nil {
		return nil, err
	}
	if head.N != size {
		return nil, fmt.Errorf("the log is said to have %d entries and its signed head counts %d", size, head.N)
	}
	edge := known{}
	root, err := tlog.TreeHash(size, tlog.HashReaderFunc(func(positions []int64) ([]Hash, error) {
		hashes, err := r.ReadHashes(positions)
		for i, h := range hashes {
			edge[positions[i]] = h
		}
		return hashes, err
	}))
	if err != nil {
		return nil, fmt.Errorf("hashing the log of %d entries: %w", size, err)
	}
	if root != head.Hash {
		return nil, fmt.Errorf("the hashes of the log of %d entries are not those that were signed", size)
	}
	return &Appender{size: size, edge: edge}, nil
}

// Append makes an event the next entry, and returns it with the hashes that are
// to be stored from Position(entry.Index) on.
func (a *Appender) Append(e Event) (Entry, []Hash, error) {
	entry, err := e.Seal(a.size)
	if err != nil {
		return Entry{}, nil, err
	}
	hashes, err := tlog.StoredHashes(a.size, entry.Leaf, a.edge)
	if err != nil {
		return Entry{}, nil, fmt.Errorf("hashing entry %d: %w", a.size, err)
	}
	a.edge.add(a.size, hashes)
	a.size++
	return entry, hashes, nil
}

// Sign signs the head of the log as it is now.
func (a *Appender) Sign(signer note.Signer) (string, error) {
	return SignHead(a.size, a.edge, signer)
}
