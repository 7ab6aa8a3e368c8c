package audit_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// log is a log in memory, as a store would keep it.
type log struct {
	entries []audit.Entry
	hashes  []audit.Hash
	head    string
}

func (l *log) ReadHashes(at []int64) ([]audit.Hash, error) {
	out := make([]audit.Hash, len(at))
	for i, p := range at {
		if p >= int64(len(l.hashes)) {
			return nil, fmt.Errorf("there is no hash %d", p)
		}
		out[i] = l.hashes[p]
	}
	return out, nil
}

// build makes a log one entry at a time, resuming it before each.
func build(t testing.TB, n int, signer note.Signer, verifier note.Verifier) *log {
	t.Helper()
	head, err := audit.SignHead(0, nil, signer)
	if err != nil {
		t.Fatal(err)
	}
	l := &log{head: head}
	for range n {
		if err := l.add(signer, verifier); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

func (l *log) add(signer note.Signer, verifier note.Verifier) error {
	i := int64(len(l.entries))
	a, err := audit.Resume(i, l.head, verifier, l)
	if err != nil {
		return err
	}
	e := audit.New(caller.OfSystem("org"), time.UnixMicro(i), audit.KeyCreated, fmt.Sprint("apikey_", i), audit.Detail{"name": fmt.Sprint("key ", i)})
	entry, hashes, err := a.Append(e)
	if err != nil {
		return err
	}
	l.entries, l.hashes = append(l.entries, entry), append(l.hashes, hashes...)
	l.head, err = a.Sign(signer)
	return err
}

func verify(l *log, v note.Verifier) error {
	_, err := replay(l, v)
	return err
}

func replay(l *log, v note.Verifier) (*audit.Verifier, error) {
	var check audit.Verifier
	for _, e := range l.entries {
		at := audit.Position(e.Index)
		if err := check.Add(audit.Stored{Entry: e, Hashes: l.hashes[at : at+int64(audit.HashCount(e.Index))]}); err != nil {
			return nil, err
		}
	}
	head, err := audit.OpenHead(l.head, v)
	if err != nil {
		return nil, err
	}
	return &check, check.Finish(head)
}

// rewrite makes entry i another one with its own hash, and every hash over it
// up to a level anew, as somebody who can write to the database would.
func (l *log) rewrite(i int64, levels int) {
	l.entries[i].Leaf = []byte(strings.Replace(string(l.entries[i].Leaf), "apikey_", "apikex_", 1))
	l.entries[i].Columns.Target = strings.Replace(l.entries[i].Columns.Target, "apikey_", "apikex_", 1)
	l.hashes[audit.Position(i)] = tlog.RecordHash(l.entries[i].Leaf)
	for level, n := 1, i>>1; level <= levels; level, n = level+1, n>>1 {
		at := tlog.StoredHashIndex(level, n)
		if at >= int64(len(l.hashes)) {
			return
		}
		l.hashes[at] = tlog.NodeHash(l.hashes[tlog.StoredHashIndex(level-1, 2*n)], l.hashes[tlog.StoredHashIndex(level-1, 2*n+1)])
	}
}

func keys(t testing.TB) (note.Signer, note.Verifier) {
	t.Helper()
	priv, pub, err := note.GenerateKey(nil, audit.LogName)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(priv)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := note.NewVerifier(pub)
	if err != nil {
		t.Fatal(err)
	}
	return signer, verifier
}

func TestVerifier(t *testing.T) {
	t.Parallel()
	signer, verifier := keys(t)
	for _, n := range []int{1, 2, 3, 7, 8, 100, 3000} {
		if err := verify(build(t, n, signer, verifier), verifier); err != nil {
			t.Errorf("a sound log of %d entries: %v", n, err)
		}
	}
}

func TestVerifierNamesTheFirstBrokenEntry(t *testing.T) {
	t.Parallel()
	signer, verifier := keys(t)
	for name, c := range map[string]struct {
		harm func(*log)
		at   int64
	}{
		"a leaf was changed": {func(l *log) {
			l.entries[17].Leaf = []byte(strings.Replace(string(l.entries[17].Leaf), "apikey_", "apikex_", 1))
		}, 17},
		"a detail was changed": {func(l *log) { l.entries[5].Detail = []byte(`{"name":"another"}`) }, 5},
		"an entry was removed": {func(l *log) { l.entries = append(l.entries[:9], l.entries[10:]...) }, 9},
		"the end was cut off":  {func(l *log) { l.entries = l.entries[:30] }, 30},
		"everything rewritten": {func(l *log) {
			fresh := build(t, 40, signer, verifier)
			l.entries, l.hashes = fresh.entries, fresh.hashes
		}, 0},
		"a leaf was rewritten with its hash":       {func(l *log) { l.rewrite(18, 0) }, 18},
		"a leaf with its hash and some over it":    {func(l *log) { l.rewrite(22, 2) }, 16},
		"a leaf with every hash over it":           {func(l *log) { l.rewrite(3, 60) }, 0},
		"a hash over others":                       {func(l *log) { l.hashes[tlog.StoredHashIndex(2, 3)][5] ^= 1 }, 12},
		"the id beside the leaf":                   {func(l *log) { l.entries[6].Columns.ID = "activity_x" }, 6},
		"the organization beside the leaf":         {func(l *log) { l.entries[6].Columns.Organization = "other" }, 6},
		"the time beside the leaf":                 {func(l *log) { l.entries[6].Columns.At++ }, 6},
		"the type beside the leaf":                 {func(l *log) { l.entries[6].Columns.Type = "x" }, 6},
		"the actor beside the leaf":                {func(l *log) { l.entries[6].Columns.Actor = "x" }, 6},
		"the target beside the leaf":               {func(l *log) { l.entries[6].Columns.Target = "x" }, 6},
		"what is affected beside the leaf":         {func(l *log) { l.entries[6].Columns.Affects = `["x"]` }, 6},
		"what is affected is no list":              {func(l *log) { l.entries[6].Columns.Affects = `x` }, 6},
		"the salt went and the detail stayed":      {func(l *log) { l.entries[6].Salt = nil }, 6},
		"the detail was emptied instead of erased": {func(l *log) { l.entries[6].Detail = []byte{} }, 6},
	} {
		l := build(t, 40, signer, verifier)
		c.harm(l)
		var broken *audit.BrokenError
		if err := verify(l, verifier); !errors.As(err, &broken) || broken.Index != c.at {
			t.Errorf("%s: got %v, want entry %d", name, err, c.at)
		}
	}
}

func TestErasedDetailKeepsTheProof(t *testing.T) {
	t.Parallel()
	signer, verifier := keys(t)
	l := build(t, 10, signer, verifier)
	l.entries[4].Detail, l.entries[4].Salt = nil, nil
	if check, err := replay(l, verifier); err != nil || check.Erased() != 1 {
		t.Errorf("%v, %d erased", err, check.Erased())
	}
	if e, err := l.entries[4].Open(); err != nil || e.Detail != nil || e.Target != "apikey_4" {
		t.Errorf("the erased entry reads as %+v, %v", e, err)
	}
}

func TestForeignHeadIsRefused(t *testing.T) {
	t.Parallel()
	signer, verifier := keys(t)
	_, stranger := keys(t)
	if _, err := audit.OpenHead(build(t, 3, signer, verifier).head, stranger); err == nil {
		t.Error("a head signed by another key is accepted")
	}
}

// TestRewrittenLogIsNotContinued harms a log as somebody with the database and
// without the key can, and adds to it: that would sign the harm.
func TestRewrittenLogIsNotContinued(t *testing.T) {
	t.Parallel()
	signer, verifier := keys(t)
	other, otherVerifier := keys(t)
	older := build(t, 4, signer, verifier)
	for name, harm := range map[string]func(*log){
		"a leaf was rewritten with every hash over it": func(l *log) { l.rewrite(3, 60) },
		"the end was cut off":                          func(l *log) { l.entries = l.entries[:4] },
		"everything was cut off":                       func(l *log) { l.entries, l.hashes = nil, nil },
		"everything and the head":                      func(l *log) { l.entries, l.hashes, l.head = nil, nil, "" },
		"the head is of another size":                  func(l *log) { l.head = older.head },
		"the head is another's":                        func(l *log) { l.head = build(t, 40, other, otherVerifier).head },
		"the edge is missing":                          func(l *log) { l.hashes = l.hashes[:20] },
	} {
		l := build(t, 40, signer, verifier)
		harm(l)
		if err := l.add(signer, verifier); err == nil {
			t.Errorf("%s, and the log goes on", name)
		}
	}
}

func TestExtends(t *testing.T) {
	t.Parallel()
	signer, verifier := keys(t)
	l := &log{}
	heads := []tlog.Tree{}
	for n := range 70 {
		if n == 0 {
			l = build(t, 0, signer, verifier)
		} else if err := l.add(signer, verifier); err != nil {
			t.Fatal(err)
		}
		head, err := audit.OpenHead(l.head, verifier)
		if err != nil {
			t.Fatal(err)
		}
		heads = append(heads, head)
	}
	last := heads[69]
	for n, earlier := range heads {
		if err := audit.Extends(last, earlier, l); err != nil {
			t.Errorf("after %d entries: %v", n, err)
		}
	}
	var broken *audit.BrokenError
	if err := audit.Extends(heads[4], last, l); !errors.As(err, &broken) || broken.Index != 4 {
		t.Errorf("a log cut off at 4: %v", err)
	}
	fork, err := audit.OpenHead(build(t, 40, signer, verifier).head, verifier)
	if err != nil {
		t.Fatal(err)
	}
	// Even with the hashes of the fork put where the proof looks for them.
	if err := audit.Extends(last, fork, l); !errors.As(err, &broken) {
		t.Errorf("another log of 40 entries: %v", err)
	}
	if err := audit.Extends(heads[40], fork, l); !errors.As(err, &broken) {
		t.Errorf("another log of the same size: %v", err)
	}
}

// TestProvenHeadsNarrowWhatIsBroken rewrites an entry after a head was kept.
func TestProvenHeadsNarrowWhatIsBroken(t *testing.T) {
	t.Parallel()
	signer, verifier := keys(t)
	l := build(t, 8, signer, verifier)
	kept, err := audit.OpenHead(l.head, verifier)
	if err != nil {
		t.Fatal(err)
	}
	for range 12 {
		if err := l.add(signer, verifier); err != nil {
			t.Fatal(err)
		}
	}
	l.rewrite(11, 60)
	var check audit.Verifier
	for _, e := range l.entries {
		at := audit.Position(e.Index)
		if err := check.Add(audit.Stored{Entry: e, Hashes: l.hashes[at : at+int64(audit.HashCount(e.Index))]}); err != nil {
			t.Fatal(err)
		}
		if check.Size() == kept.N {
			if err := check.Reached(kept); err != nil {
				t.Fatal(err)
			}
		}
	}
	head, err := audit.OpenHead(l.head, verifier)
	if err != nil {
		t.Fatal(err)
	}
	var broken *audit.BrokenError
	if err := check.Finish(head); !errors.As(err, &broken) || broken.Index != 8 {
		t.Errorf("got %v, want an entry from 8 on", err)
	}
}

// TestSealReadsBackAsWritten has what cannot be written as JSON.
func TestSealReadsBackAsWritten(t *testing.T) {
	t.Parallel()
	e := audit.New(caller.OfSystem("org"), time.UnixMicro(1), audit.KeyCreated, "a\xff\xfeb<&>", nil).Affecting("x\xff")
	entry, err := e.Seal(0)
	if err != nil {
		t.Fatal(err)
	}
	var check audit.Verifier
	if err := check.Add(audit.Stored{Entry: entry, Hashes: []audit.Hash{tlog.RecordHash(entry.Leaf)}}); err != nil {
		t.Error(err)
	}
}
