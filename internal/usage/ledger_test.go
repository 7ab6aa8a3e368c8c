package usage

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/price"
)

// memory is a database that keeps the contract of Appender in memory. The real
// ones are tried from outside the package.
type memory struct {
	mu      sync.Mutex
	rows    map[string]Entry // by request and kind
	appends int
	broken  error
	called  chan struct{} // a token for every call that failed; nil: none
}

func newMemory() *memory { return &memory{rows: map[string]Entry{}} }

func (m *memory) Append(_ context.Context, entries []Entry) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken != nil {
		if m.called != nil {
			nudge(m.called)
		}
		return m.broken
	}
	m.appends++
	for _, e := range entries {
		key := string(e.Organization) + " " + string(e.Request) + " " + string(e.Kind)
		if _, taken := m.rows[key]; !taken {
			m.rows[strings.Clone(key)] = detached(e)
		}
	}
	return nil
}

func (m *memory) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.broken = err
}

// settled returns the settle entries by request.
func (m *memory) settled() map[id.Request]Entry {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[id.Request]Entry{}
	for _, e := range m.rows {
		if e.Kind == Settled {
			out[e.Request] = e
		}
	}
	return out
}

// detached copies an entry's strings, whose memory is not the database's to keep.
func detached(e Entry) Entry {
	for _, s := range []*string{(*string)(&e.Kind), (*string)(&e.Request), (*string)(&e.Organization), (*string)(&e.Member), (*string)(&e.Key), (*string)(&e.Session),
		&e.Client.Session, &e.Client.Agent, &e.Client.ParentAgent, &e.Upstream, &e.Model, (*string)(&e.Ending), &e.UpstreamRequestID, &e.PriceVersion} {
		*s = strings.Clone(*s)
	}
	return e
}

// said collects what is logged.
type said struct {
	mu  sync.Mutex
	all strings.Builder
}

func (s *said) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all.Write(b)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all.String()
}

var arrived = time.Date(2026, 11, 23, 10, 0, 0, 123456000, time.UTC)

func request(n int) Request {
	return Request{ID: id.Request(fmt.Sprintf("req_%d", n)), At: arrived.Add(time.Duration(n) * time.Second), Organization: "org", Member: "user_1", Session: "devs_1",
		Client: Client{Session: "s", Agent: "a", ParentAgent: "p"}, Upstream: "simulated", Model: "claude-opus-5", Stream: true, BodyBytes: 4000, MaxTokens: 100}
}

func outcome(n int64) Outcome {
	return Outcome{Ending: Complete, Status: 200, Tokens: price.Tokens{Input: n, Output: 2 * n, CacheRead: 3 * n, CacheWrite5m: 4 * n, CacheWrite1h: 5 * n},
		FirstByte: 5 * time.Millisecond, Latency: time.Second, UpstreamRequestID: "req_up"}
}

// small is a configuration in which everything happens often.
func small(dir string, store Appender) Config {
	return Config{Dir: dir, Store: store, Now: func() time.Time { return arrived }, SegmentBytes: 8192, Slots: 64, SyncEvery: time.Microsecond, DrainEvery: time.Millisecond, BatchRows: 7}
}

func start(t *testing.T, c Config) *Ledger {
	t.Helper()
	l, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close(t.Context()) })
	return l
}

func reserve(t *testing.T, l *Ledger, r Request) *Hold {
	t.Helper()
	h, err := l.Reserve(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Durable(t.Context()); err != nil {
		t.Fatal(err)
	}
	return h
}

func settle(t *testing.T, h *Hold, o Outcome) {
	t.Helper()
	if err := h.Settle(o); err != nil {
		t.Fatal(err)
	}
}

func flush(t *testing.T, l *Ledger) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := l.Flush(ctx); err != nil {
		t.Fatal(err)
	}
}

func TestSettleReachesTheDatabaseWhole(t *testing.T) {
	t.Parallel()
	store, dir := newMemory(), t.TempDir()
	l := start(t, small(dir, store))
	h := reserve(t, l, request(1))
	settle(t, h, outcome(10))
	flush(t, l)
	worst := price.Default().Worst("claude-opus-5", arrived, 4000, 100, 0)
	want := Entry{Kind: Settled, Request: "req_1", At: arrived.Add(time.Second), Organization: "org", Member: "user_1", Session: "devs_1",
		Client: Client{Session: "s", Agent: "a", ParentAgent: "p"}, Upstream: "simulated", Model: "claude-opus-5", Stream: true, ReservedNanos: worst,
		Status: 200, Ending: Complete, Tokens: outcome(10).Tokens, CostNanos: 10*5000 + 20*25000 + 30*500 + 40*6250 + 50*10000,
		FirstByte: 5 * time.Millisecond, Latency: time.Second, UpstreamRequestID: "req_up", PriceVersion: price.Default().Version()}
	if diff := cmp.Diff(map[string]Entry{"org req_1 settle": want}, store.rows); diff != "" {
		t.Error(diff)
	}
	if err := h.Settle(outcome(1)); !errors.Is(err, ErrSettled) {
		t.Errorf("settling twice: %v", err)
	}
	if lag := l.Lag(); lag.Bytes != 0 || lag.Age != 0 || lag.Open != 0 {
		t.Errorf("the lag is %+v", lag)
	}
	if err := l.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := files(t, dir); !slices.Equal(left, []string{"1/lock"}) {
		t.Errorf("after a clean end there is %v", left)
	}
	if _, err := l.Reserve(request(2)); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a closed ledger gave %v", err)
	}
}

func TestUnknownModelIsNotFree(t *testing.T) {
	t.Parallel()
	store := newMemory()
	l := start(t, small(t.TempDir(), store))
	r := request(1)
	r.Model = "my-deployment"
	settle(t, reserve(t, l, r), outcome(10))
	flush(t, l)
	e := store.settled()["req_1"]
	if want, _ := price.Default().Cost("my-deployment", r.At, outcome(10).Tokens, 0); e.CostNanos != want || want == 0 || !strings.HasSuffix(e.PriceVersion, "+dearest") {
		t.Errorf("got %+v", e)
	}
}

// A price is made under the terms of the upstream that answered, also where the
// server died before it could say so.
func TestTermsOfThePrice(t *testing.T) {
	t.Parallel()
	store, dir := newMemory(), t.TempDir()
	l := start(t, small(dir, store))
	list, _ := price.Default().Cost("claude-opus-5", arrived, outcome(10).Tokens, 0)
	for n, terms := range map[int][2]price.Terms{1: {0, 0}, 2: {price.Regional, price.Regional}, 3: {0, price.Regional}, 4: {price.Regional, 0}} {
		r, o := request(n), outcome(10)
		r.Terms, o.Terms = terms[0], terms[1]
		settle(t, reserve(t, l, r), o)
		flush(t, l)
		want, version := list, price.Default().Version()
		if terms[1] == price.Regional {
			want, version = list*11/10, version+"+regional"
		}
		if e := store.settled()[r.ID]; e.CostNanos != want || e.PriceVersion != version || e.Upstream != "simulated" {
			t.Errorf("reserved %q, settled %q: %d by %s at %s", terms[0], terms[1], e.CostNanos, e.PriceVersion, e.Upstream)
		}
	}
	r := request(5)
	r.Terms = price.Regional
	h := l.lose(&record{slot: noSlot, bodyBytes: 4000, entry: Entry{Request: r.ID, At: r.At, Model: r.Model, PriceVersion: l.version(r.Model, r.Terms)}}, progress{})
	if want := int64(1000 * 5000 * 11 / 10); h.CostNanos != want {
		t.Errorf("lost: %d, not %d", h.CostNanos, want)
	}
}

// What clients say of themselves cannot make a record that a database refuses.
func TestStrangeText(t *testing.T) {
	t.Parallel()
	store := newMemory()
	l := start(t, small(t.TempDir(), store))
	r := request(1)
	r.Client = Client{Session: "a\x00b\xff", Agent: strings.Repeat("x", 1000), ParentAgent: "ü"}
	o := outcome(1)
	o.Tokens.Input, o.Status, o.Latency = -5, 100000, -1
	settle(t, reserve(t, l, r), o)
	flush(t, l)
	e := store.settled()["req_1"]
	if want := (Client{"a?b?", strings.Repeat("x", 255), "ü"}); e.Client != want || e.Tokens.Input != 0 || e.Status != 999 || e.Latency != 0 {
		t.Errorf("got %+v", e)
	}
}

// Many requests at once, more than several segments hold.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	store, dir := newMemory(), t.TempDir()
	l := start(t, small(dir, store))
	var workers sync.WaitGroup
	const each, many = 50, 20
	for w := range many {
		workers.Go(func() {
			for i := range each {
				h, err := l.Reserve(request(w*each + i))
				if err == nil {
					err = h.Durable(t.Context())
				}
				if err == nil {
					h.Progress(price.Tokens{Input: 1})
					err = h.Settle(outcome(int64(i)))
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	workers.Wait()
	flush(t, l)
	if got := store.settled(); len(got) != each*many {
		t.Errorf("%d of %d are in the database", len(got), each*many)
	}
	if lag := l.Lag(); lag.OnDisk > 20*8192 || lag.Damaged != 0 { // of about ninety segments
		t.Errorf("drained segments stay: %+v", lag)
	}
}

// A reservation that stays open gets an entry of its own, and does not keep the
// segments before it.
func TestOpenForLong(t *testing.T) {
	t.Parallel()
	store, dir := newMemory(), t.TempDir()
	c := small(dir, store)
	var mu sync.Mutex
	now := arrived
	c.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	l := start(t, c)
	long := reserve(t, l, request(0))
	for i := 1; i <= 100; i++ {
		settle(t, reserve(t, l, request(i)), outcome(1))
		if i%10 == 0 {
			flush(t, l)
		}
	}
	if _, there := store.rows["org req_0 reserve"]; there {
		t.Error("a young reservation is in the database")
	}
	mu.Lock()
	now = arrived.Add(time.Hour)
	mu.Unlock()
	settle(t, reserve(t, l, request(101)), outcome(1))
	flush(t, l)
	if e, there := store.rows["org req_0 reserve"]; !there || e.ReservedNanos == 0 || e.CostNanos != 0 {
		t.Errorf("the reservation's entry is %+v", e)
	}
	if segments := len(files(t, dir)) - 2; segments > 3 {
		t.Errorf("%d segments are kept for one reservation: %v", segments, files(t, dir))
	}
	// The process dies; the next one finds it although its segment is gone.
	abandon(t, l)
	l = start(t, c)
	flush(t, l)
	if e := store.settled()["req_0"]; e.Ending != Lost || !e.Estimated {
		t.Errorf("it ended as %+v", e)
	}
	_ = long
}

func TestLostIsSettledByItsProgress(t *testing.T) {
	t.Parallel()
	store, dir := newMemory(), t.TempDir()
	l := start(t, small(dir, store))
	reserve(t, l, request(1))
	known := reserve(t, l, request(2))
	known.Progress(price.Tokens{Input: 7, CacheRead: 100})
	known.Progress(price.Tokens{Input: 7, CacheRead: 100, Output: 30})
	done := reserve(t, l, request(3))
	done.Progress(price.Tokens{Input: 1})
	settle(t, done, outcome(5))
	abandon(t, l)

	l = start(t, small(dir, store))
	flush(t, l)
	got := store.settled()
	want := map[id.Request]price.Tokens{"req_1": {Input: 1000}, "req_2": {Input: 7, CacheRead: 100, Output: 30}, "req_3": outcome(5).Tokens}
	for request, tokens := range want {
		e := got[request]
		cost, _ := price.Default().Cost(e.Model, e.At, tokens, 0)
		lost := request != "req_3"
		if e.Tokens != tokens || e.CostNanos != cost || (e.Ending == Lost) != lost || e.Estimated != lost {
			t.Errorf("%s: %+v", request, e)
		}
	}
	if err := l.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := files(t, dir); !slices.Equal(left, []string{"1/lock"}) {
		t.Errorf("what the dead left is still there: %v", left)
	}
}

// A slot that is used again does not lend its progress to another request.
func TestSlotsDoNotMix(t *testing.T) {
	t.Parallel()
	store, dir := newMemory(), t.TempDir()
	c := small(dir, store)
	c.Slots = 1
	l := start(t, c)
	first := reserve(t, l, request(1))
	first.Progress(price.Tokens{Input: 111})
	without := reserve(t, l, request(2)) // no slot is left
	without.Progress(price.Tokens{Input: 222})
	settle(t, first, outcome(1))
	reserve(t, l, request(3)) // takes the slot and has made no progress
	abandon(t, l)
	l = start(t, c)
	flush(t, l)
	for _, request := range []id.Request{"req_2", "req_3"} {
		if e := store.settled()[request]; e.Tokens != (price.Tokens{Input: 1000}) {
			t.Errorf("%s: %+v", request, e.Tokens)
		}
	}
}

// The settlement of a request may be unreadable and its slot another's by then.
func TestProgressBelongsToItsRequest(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), slotsName(1))
	s, err := makeSlots(path, 2)
	if err != nil {
		t.Fatal(err)
	}
	slot := s.take("req_1")
	s.store(slot, price.Tokens{Input: 1, Output: -5})
	s.give(slot)
	if again := s.take("req_2"); again != slot {
		t.Fatalf("got slot %d", again)
	}
	s.store(slot, price.Tokens{Input: 2, CacheWrite1h: 3})
	p, err := readProgress(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := p.of("req_1", slot); ok {
		t.Errorf("the first request got %+v of the second", got)
	}
	if got, ok := p.of("req_2", slot); !ok || got != (price.Tokens{Input: 2, CacheWrite1h: 3}) {
		t.Errorf("got %+v, %v", got, ok)
	}
	for _, wrong := range []int32{noSlot, -2, 2, 1 << 30} {
		if _, ok := p.of("req_2", wrong); ok {
			t.Errorf("there is a slot %d", wrong)
		}
	}
}

func TestTwoProcessesOneFolder(t *testing.T) {
	t.Parallel()
	store, dir := newMemory(), t.TempDir()
	a, b := start(t, small(dir, store)), start(t, small(dir, store))
	if a.claims[0].path == b.claims[0].path {
		t.Fatal("both live in one folder")
	}
	reserve(t, a, request(1))
	settle(t, reserve(t, b, request(2)), outcome(1))
	flush(t, b)
	if got := store.settled(); len(got) != 1 {
		t.Errorf("one took what the other still has open: %v", got)
	}
	abandon(t, a)
	c := start(t, small(dir, store)) // moves in where a died
	flush(t, c)
	if got := store.settled(); got["req_1"].Ending != Lost || got["req_2"].Ending != Complete {
		t.Errorf("got %v", slices.Collect(maps.Keys(got)))
	}
	abandon(t, b)
	abandon(t, c)
	reserveIn := start(t, small(dir, store)) // one process takes over both
	flush(t, reserveIn)
	if left := files(t, dir); len(left) != 4 {
		t.Errorf("two locks and one run should be there: %v", left)
	}
}

func TestDatabaseGoneAndBack(t *testing.T) {
	t.Parallel()
	store, dir := newMemory(), t.TempDir()
	log := &said{}
	c := small(dir, store)
	c.LimitBytes = 10 * c.SegmentBytes
	var ticks atomic.Int64
	c.Now = func() time.Time { return arrived.Add(time.Duration(ticks.Add(1)) * time.Microsecond) }
	c.Log = slog.New(slog.NewTextHandler(log, nil))
	store.called = make(chan struct{}, 1)
	store.fail(errors.New("connection refused"))
	l := start(t, c)
	n, open := 0, []*Hold{}
	var err error
	for ; n < 10000; n++ {
		var h *Hold
		if h, err = l.Reserve(request(n)); err != nil {
			break
		}
		if n%10 == 0 {
			open = append(open, h)
			continue
		}
		settle(t, h, outcome(1))
	}
	if !fault.Is(err, fault.Unavailable) || n < 50 {
		t.Fatalf("after %d requests: %v", n, err)
	}
	for _, h := range open { // there is room for what was begun
		settle(t, h, outcome(1))
	}
	<-store.called
	if lag := l.Lag(); lag.OnDisk > c.LimitBytes || lag.Bytes == 0 || lag.Age == 0 {
		t.Errorf("the lag is %+v", lag)
	}
	if !strings.Contains(log.String(), "connection refused") {
		t.Errorf("it said %q", log)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := l.Flush(ctx); err == nil {
		t.Error("it was flushed into nothing")
	}
	store.fail(nil)
	flush(t, l)
	if got := len(store.settled()); got != n {
		t.Errorf("%d of %d are in the database", got, n)
	}
	if _, err := l.Reserve(request(n)); err != nil {
		t.Errorf("it does not recover: %v", err)
	}
}

// abandon leaves a ledger as kill -9 would: nothing more is written, and the
// locks are free.
func abandon(t *testing.T, l *Ledger) {
	t.Helper()
	l.journal.mu.Lock()
	l.journal.closed = true
	l.journal.mu.Unlock()
	l.stop()
	close(l.halt)
	l.running.Wait()
	if err := releaseAll(l.claims); err != nil {
		t.Fatal(err)
	}
}

func files(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(path string, f os.DirEntry, err error) error {
		if err == nil && !f.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			all = append(all, rel)
			if info, _ := f.Info(); info.Mode().Perm() != 0o600 {
				t.Errorf("%s has mode %v", rel, info.Mode())
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
