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
		out[i] = l.hashes[p]
	}
	return out, nil
}

func build(t *testing.T, n int, signer note.Signer) *log {
	t.Helper()
	l := &log{}
	for i := range n {
		e := audit.New(caller.OfSystem("org"), time.UnixMicro(int64(i)), audit.KeyCreated, fmt.Sprint("apikey_", i), audit.Detail{"name": fmt.Sprint("key ", i)})
		entry, err := e.Seal(int64(i))
		if err != nil {
			t.Fatal(err)
		}
		hashes, err := audit.Hashes(int64(i), entry.Leaf, l)
		if err != nil {
			t.Fatal(err)
		}
		l.entries, l.hashes = append(l.entries, entry), append(l.hashes, hashes...)
	}
	head, err := audit.SignHead(int64(n), l, signer)
	if err != nil {
		t.Fatal(err)
	}
	l.head = head
	return l
}

func verify(l *log, v note.Verifier) error {
	var check audit.Verifier
	for _, e := range l.entries {
		if err := check.Add(e, l.hashes[audit.Position(e.Index)]); err != nil {
			return err
		}
	}
	head, err := audit.OpenHead(l.head, v)
	if err != nil {
		return err
	}
	return check.Finish(head)
}

func keys(t *testing.T) (note.Signer, note.Verifier) {
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
		if err := verify(build(t, n, signer), verifier); err != nil {
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
			other, _ := keys(t)
			fresh := build(t, 40, other)
			l.entries, l.hashes = fresh.entries, fresh.hashes
		}, 0},
	} {
		l := build(t, 40, signer)
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
	l := build(t, 10, signer)
	l.entries[4].Detail, l.entries[4].Salt = nil, nil
	if err := verify(l, verifier); err != nil {
		t.Error(err)
	}
	if e, err := l.entries[4].Open(); err != nil || e.Detail != nil || e.Target != "apikey_4" {
		t.Errorf("the erased entry reads as %+v, %v", e, err)
	}
}

func TestForeignHeadIsRefused(t *testing.T) {
	t.Parallel()
	signer, _ := keys(t)
	_, stranger := keys(t)
	if _, err := audit.OpenHead(build(t, 3, signer).head, stranger); err == nil {
		t.Error("a head signed by another key is accepted")
	}
	var _ tlog.HashReader = &log{}
}
