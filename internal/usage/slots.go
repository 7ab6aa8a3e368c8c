package usage

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"sync/atomic"
	"unsafe"

	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/price"
)

// slots is where open requests keep their progress: a file mapped into memory,
// which the kernel keeps when the process is killed. A slot is eight words: the
// request's tag, the five counts and two that are spare. Each slot has one
// writer at a time; a reader comes only after the writer's process has died.
type slots struct {
	path   string
	memory []byte
	free   []int32 // guarded by the journal's lock
}

const (
	slotWords = 8
	slotBytes = slotWords * 8
)

func makeSlots(path string, count int) (*slots, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	s := &slots{path: path, free: make([]int32, 0, count)}
	// Written and not only grown: a hole could not be filled on a full disk, and
	// the fault would be fatal.
	if _, err = file.Write(make([]byte, count*slotBytes)); err == nil {
		s.memory, err = share(file, count*slotBytes)
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, errors.Join(err, os.Remove(path))
	}
	for i := count - 1; i >= 0; i-- {
		s.free = append(s.free, int32(i))
	}
	return s, nil
}

// take gives a request a slot, noSlot if there is none left.
func (s *slots) take(request id.Request) int32 {
	if len(s.free) == 0 {
		return noSlot
	}
	slot := s.free[len(s.free)-1]
	s.free = s.free[:len(s.free)-1]
	words := s.words(slot)
	for i := range words {
		atomic.StoreUint64(&words[i], 0)
	}
	atomic.StoreUint64(&words[0], tag(request))
	return slot
}

func (s *slots) give(slot int32) {
	if slot == noSlot {
		return
	}
	atomic.StoreUint64(&s.words(slot)[0], 0)
	s.free = append(s.free, slot)
}

func (s *slots) store(slot int32, t price.Tokens) {
	words := s.words(slot)
	for i, n := range [...]int64{t.Input, t.Output, t.CacheRead, t.CacheWrite5m, t.CacheWrite1h} {
		atomic.StoreUint64(&words[1+i], uint64(max(n, 0)))
	}
}

func (s *slots) words(slot int32) *[slotWords]uint64 {
	return (*[slotWords]uint64)(unsafe.Pointer(&s.memory[int(slot)*slotBytes]))
}

// tag is what a slot knows its request by; never 0.
func tag(request id.Request) uint64 {
	h := fnv.New64a()
	h.Write([]byte(request))
	return h.Sum64() | 1
}

// progress is a dead run's slots.
type progress []byte

func readProgress(path string) (progress, error) {
	raw, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("reading the progress of open requests: %w", err)
	}
	return raw, nil
}

// of returns the last progress of a request, if it made any.
func (p progress) of(request id.Request, slot int32) (t price.Tokens, ok bool) {
	if slot < 0 || int(slot+1)*slotBytes > len(p) {
		return t, false
	}
	word := func(i int) uint64 { return binary.NativeEndian.Uint64(p[int(slot)*slotBytes+i*8:]) }
	if word(0) != tag(request) {
		return t, false
	}
	t = price.Tokens{Input: int64(word(1)), Output: int64(word(2)), CacheRead: int64(word(3)), CacheWrite5m: int64(word(4)), CacheWrite1h: int64(word(5))}
	return t, t != price.Tokens{} && min(t.Input, t.Output, t.CacheRead, t.CacheWrite5m, t.CacheWrite1h) >= 0
}

// stringOf views bytes that will not be written again as a string.
func stringOf(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// bytesOf views a string as bytes that must not be written.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
