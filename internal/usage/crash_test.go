package usage

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/price"
)

// world is a ledger that lives and dies, and what was promised about it.
type world struct {
	t        *rapid.T
	dir      string
	store    *memory
	log      *said
	l        *Ledger
	n        int
	open     map[id.Request]*Hold
	reserved map[id.Request]bool
	settled  map[id.Request]price.Tokens // acknowledged
	maybe    map[id.Request]price.Tokens // written but not acknowledged
	progress map[id.Request]price.Tokens
}

func (w *world) start() {
	c := small(w.dir, w.store)
	c.SegmentBytes, c.Now = 4096, func() time.Time { return arrived.Add(time.Hour) } // every reservation is old
	c.Log = slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelError}))
	l, err := Open(c)
	if err != nil {
		w.t.Fatal(err)
	}
	w.l = l
}

func (w *world) reserve() {
	w.n++
	r := request(w.n)
	h, err := w.l.Reserve(r)
	if err != nil {
		w.t.Fatal(err)
	}
	w.open[r.ID], w.reserved[r.ID] = h, true
	if rapid.Bool().Draw(w.t, "durable") {
		if err := h.Durable(w.ctx()); err != nil {
			w.t.Fatal(err)
		}
	}
	if rapid.Bool().Draw(w.t, "progress") {
		w.progress[r.ID] = price.Tokens{Input: int64(w.n), Output: 3}
		h.Progress(w.progress[r.ID])
	}
}

func (w *world) any() (id.Request, *Hold) {
	if len(w.open) == 0 {
		w.t.Skip("nothing is open")
	}
	var all []id.Request
	for n := 1; n <= w.n; n++ {
		if r := request(n).ID; w.open[r] != nil {
			all = append(all, r)
		}
	}
	r := rapid.SampledFrom(all).Draw(w.t, "request")
	return r, w.open[r]
}

func (w *world) settle() {
	r, h := w.any()
	o := outcome(rapid.Int64Range(0, 1000).Draw(w.t, "tokens"))
	if err := h.Settle(o); err != nil {
		w.t.Fatal(err)
	}
	delete(w.open, r)
	w.settled[r] = o.Tokens
}

// crash kills the process in the middle of writing a settlement, any part of
// which may have reached the file, and starts another.
func (w *world) crash() {
	var cut []byte
	if len(w.open) > 0 {
		r, h := w.any()
		o := outcome(7)
		whole := appendFrame(nil, kindSettle, h.request, appendOutcome(nil, &o, 1, ""))
		cut = whole[:rapid.IntRange(0, len(whole)).Draw(w.t, "cut")]
		w.maybe[r] = o.Tokens
	}
	w.die()
	s := w.l.journal.current
	if room := s.size - s.used; int64(len(cut)) > room {
		cut = cut[:room]
	}
	file, err := os.OpenFile(s.path, os.O_WRONLY, 0)
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := file.WriteAt(cut, s.used); err != nil {
		w.t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		w.t.Fatal(err)
	}
	w.open = map[id.Request]*Hold{}
	w.start()
}

// die stops everything where it stands: what is only in memory is gone.
func (w *world) die() {
	j := w.l.journal
	j.mu.Lock()
	j.closed = true
	j.tail, j.written = nil, 0
	j.mu.Unlock()
	w.l.stop()
	close(w.l.halt)
	w.l.running.Wait()
	if err := releaseAll(w.l.claims); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) ctx() context.Context { return w.t.Context() }

func (w *world) check() {
	w.store.fail(nil)
	if err := w.l.Flush(w.ctx()); err != nil {
		w.t.Fatal(err)
	}
	rows := w.store.settled()
	for r, want := range w.settled {
		if got, there := rows[r]; !there || got.Tokens != want || got.Ending != Complete {
			w.t.Fatalf("%s was settled with %+v, the ledger has %v %+v", r, want, there, got)
		}
	}
	for r := range w.reserved {
		got, there := rows[r]
		if _, fine := w.settled[r]; fine || w.open[r] != nil {
			if !fine && there {
				w.t.Fatalf("%s is open, the ledger has %+v", r, got)
			}
			continue
		}
		lost := w.progress[r]
		if lost == (price.Tokens{}) {
			lost = price.Tokens{Input: 1000}
		}
		whole := got.Ending == Complete && got.Tokens == w.maybe[r]
		if !there || !whole && (got.Ending != Lost || got.Tokens != lost) {
			w.t.Fatalf("%s was lost with %+v, the ledger has %v %+v", r, lost, there, got)
		}
	}
	for r, row := range rows {
		if _, fine := w.settled[r]; !fine && row.Ending == Complete && row.Tokens != w.maybe[r] {
			w.t.Fatalf("nobody settled %s: %+v", r, row)
		}
	}
	if log := w.log.String(); log != "" {
		w.t.Fatalf("it reported damage: %s", log)
	}
}

// Whatever happens in whatever order, nothing that was acknowledged is missing
// from the ledger and nothing is in it twice.
func TestNothingIsLostOrDoubled(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp(base, "")
		if err != nil {
			t.Fatal(err)
		}
		w := &world{t: t, dir: dir, store: newMemory(), log: &said{}, open: map[id.Request]*Hold{}, reserved: map[id.Request]bool{},
			settled: map[id.Request]price.Tokens{}, maybe: map[id.Request]price.Tokens{}, progress: map[id.Request]price.Tokens{}}
		w.start()
		defer func() { w.die() }()
		t.Repeat(map[string]func(*rapid.T){
			"reserve":  func(t *rapid.T) { w.t = t; w.reserve() },
			"reserve2": func(t *rapid.T) { w.t = t; w.reserve() },
			"settle":   func(t *rapid.T) { w.t = t; w.settle() },
			"settle2":  func(t *rapid.T) { w.t = t; w.settle() },
			"crash":    func(t *rapid.T) { w.t = t; w.crash() },
			"gone":     func(t *rapid.T) { w.store.fail(errors.New("the database is gone")) },
			"check":    func(t *rapid.T) { w.t = t; w.check() },
		})
		w.t = t
		w.check()
	})
}

// A journal that is damaged in the middle is read beyond the damage; what was
// there is kept and reported.
func TestDamage(t *testing.T) {
	t.Parallel()
	for name, hurt := range map[string]func(b []byte, from, to int){
		"a bit":    func(b []byte, from, to int) { b[(from+to)/2] ^= 4 },
		"zeros":    func(b []byte, from, to int) { clear(b[from:to]) },
		"length":   func(b []byte, from, _ int) { b[from+2], b[from+3] = 0xff, 0xff },
		"nonsense": func(b []byte, from, to int) { copy(b[from:to], bytes.Repeat([]byte{0x47, 0x4c}, to)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store, dir, log := newMemory(), t.TempDir(), &said{}
			store.fail(errors.New("gone"))
			c := small(dir, store)
			c.SegmentBytes = 1 << 16
			l := start(t, c)
			var ends []int64
			for n := range 5 {
				settle(t, reserve(t, l, request(n)), outcome(int64(n+1)))
				ends = append(ends, l.journal.current.used)
			}
			path := l.journal.current.path
			abandon(t, l)
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			// The third settlement: what is between its reservation and the fourth's.
			_, size := nextFrame(string(raw[ends[1]:]))
			hurt(raw, int(ends[1])+size, int(ends[2]))
			if err := os.WriteFile(path, raw, 0o600); err != nil {
				t.Fatal(err)
			}
			store.fail(nil)
			c.Log = slog.New(slog.NewTextHandler(log, nil))
			l = start(t, c)
			flush(t, l)
			got := store.settled()
			for n := range 5 {
				e := got[request(n).ID]
				if n == 2 && (e.Ending != Lost || !e.Estimated) || n != 2 && e.Tokens != outcome(int64(n+1)).Tokens {
					t.Errorf("request %d: %+v", n, e)
				}
			}
			kept, _ := filepath.Glob(path + ".damaged-*")
			if len(kept) != 1 || l.Lag().Damaged != 1 || !strings.Contains(log.String(), "is damaged") {
				t.Errorf("kept %v, counted %d, said %s", kept, l.Lag().Damaged, log)
			}
		})
	}
}

func TestForeignFilesDoNotStopTheLedger(t *testing.T) {
	t.Parallel()
	store, dir, log := newMemory(), t.TempDir(), &said{}
	if err := os.MkdirAll(filepath.Join(dir, "1"), 0o700); err != nil {
		t.Fatal(err)
	}
	newer := append(headerOf(0), 1, 2, 3)
	newer[8] = 99
	for name, content := range map[string]string{
		segmentName(1, 1): "this is no segment at all", segmentName(2, 1): string(newer), segmentName(3, 1): "",
		segmentName(4, 1): strings.Repeat("\x00", 100), "note.txt": "hello", "x.seg": "",
	} {
		if err := os.WriteFile(filepath.Join(dir, "1", name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := small(dir, store)
	c.Log = slog.New(slog.NewTextHandler(log, nil))
	l := start(t, c)
	settle(t, reserve(t, l, request(1)), outcome(1))
	flush(t, l)
	if len(store.settled()) != 1 || l.Lag().Damaged != 2 || !strings.Contains(log.String(), "newer gatehoused") {
		t.Errorf("%d rows, %+v, said %s", len(store.settled()), l.Lag(), log)
	}
	if err := l.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	left := strings.Join(files(t, dir), " ")
	for _, name := range []string{segmentName(1, 1) + ".damaged", segmentName(2, 1), "note.txt"} {
		if !strings.Contains(left, name) {
			t.Errorf("%s is gone: %s", name, left)
		}
	}
}

func FuzzRecord(f *testing.F) {
	r, o := request(1), outcome(1)
	asked := appendRequest(nil, &r, 5, 3, "v")
	f.Add(string(kindReserve) + string(asked))
	f.Add(string(kindSettle) + string(append(asked, appendOutcome(nil, &o, 9, "")...)))
	f.Add(string(kindSettle) + string(append(asked, appendOutcome(nil, &o, 9, "v+regional")...)))
	f.Add("")
	f.Fuzz(func(t *testing.T, payload string) {
		var r record
		if r.decode(payload) != nil {
			return
		}
		e := r.entry
		if len(payload) > 1+len(asked)*100 || e.Request == "" {
			t.Errorf("%q became %+v", payload, r)
		}
	})
}

func FuzzFrames(f *testing.F) {
	frame := appendFrame(nil, kindReserve, []byte("abc"), nil)
	f.Add(string(frame)+string(frame), true)
	f.Add("xGL"+string(frame)+"\x00\x00", false)
	f.Fuzz(func(t *testing.T, data string, final bool) {
		bytes := 0
		consumed, damaged, torn := frames(data, final, func(payload string) { bytes += frameHeader + len(payload) })
		for _, s := range damaged {
			if s.from >= s.to || s.to > len(data) {
				t.Errorf("damage %+v", s)
			}
			bytes += s.to - s.from
		}
		if consumed > len(data) || final && consumed != len(data) || torn.to < torn.from || torn.to > len(data) {
			t.Errorf("consumed %d of %d, torn %+v", consumed, len(data), torn)
		}
		if bytes+torn.to-torn.from > consumed {
			t.Errorf("%d bytes were explained as %d", consumed, bytes)
		}
	})
}
