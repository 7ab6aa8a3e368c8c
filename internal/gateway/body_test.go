package gateway

import (
	"bytes"
	"errors"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

func TestBodies(t *testing.T) {
	t.Parallel()
	b := &bodies{max: 3 << 20, room: 8 << 20, share: 8 << 20, within: time.Minute}
	var a allowance
	read := func(body string, length int64) (*payload, error) {
		r := httptest.NewRequest("POST", "/", io.MultiReader(strings.NewReader(body))) // of no type that tells its length
		r.ContentLength = length
		return b.read(httptest.NewRecorder(), r, &a)
	}
	for _, size := range []int{0, 1, 4095, 4096, 70_000, 1 << 20, 1<<20 + 1, 3 << 20} {
		body := strings.Repeat("x", size)
		for _, length := range []int64{int64(size), -1} {
			p, err := read(body, length)
			if err != nil || string(p.bytes) != body {
				t.Fatalf("%d bytes (said: %d): %v", size, length, err)
			}
			p.release()
		}
	}
	for _, length := range []int64{3<<20 + 1, -1} {
		if _, err := read(strings.Repeat("x", 3<<20+1), length); !fault.Is(err, fault.TooLarge) {
			t.Errorf("a body too large (said: %d): %v", length, err)
		}
	}
	r := httptest.NewRequest("POST", "/", io.MultiReader(strings.NewReader("x"), &failing{}))
	if _, err := b.read(httptest.NewRecorder(), r, &a); !fault.Is(err, fault.Invalid) {
		t.Errorf("a body that breaks off: %v", err)
	}
	if used, its := b.used.Load(), a.memory.Load(); used != 0 || its != 0 {
		t.Fatalf("%d bytes are not given back, %d of the credential's", used, its)
	}
}

type failing struct{}

func (*failing) Read([]byte) (int, error) { return 0, errors.New("broken") }

func TestBodiesHaveRoomForSoMany(t *testing.T) {
	t.Parallel()
	b := &bodies{max: 3 << 20, room: 5 << 20, share: 5 << 20, within: time.Minute}
	var held []*payload
	for range 2 {
		p, err := b.read(httptest.NewRecorder(), httptest.NewRequest("POST", "/", strings.NewReader(strings.Repeat("x", 1<<20+1))), new(allowance))
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, p)
	}
	full := httptest.NewRequest("POST", "/", strings.NewReader(strings.Repeat("x", 1<<20+1)))
	if _, err := b.read(httptest.NewRecorder(), full, new(allowance)); !fault.Is(err, fault.Unavailable) {
		t.Errorf("beyond the room: %v", err)
	}
	held[0].release()
	if _, err := b.read(httptest.NewRecorder(), httptest.NewRequest("POST", "/", strings.NewReader(strings.Repeat("x", 1<<20+1))), new(allowance)); err != nil {
		t.Errorf("after one was given back: %v", err)
	}
}

// TestBodiesAreShared has one credential take all it can: the others have room
// left, and it may go on when it has given something back.
func TestBodiesAreShared(t *testing.T) {
	t.Parallel()
	b := &bodies{max: 1 << 20, room: 16 << 20, share: shareOf(16<<20, 1<<20), within: time.Minute}
	read := func(a *allowance) (*payload, error) {
		return b.read(httptest.NewRecorder(), httptest.NewRequest("POST", "/", strings.NewReader(strings.Repeat("x", 900_000))), a)
	}
	var greedy, modest allowance
	var held []*payload
	for range 4 {
		p, err := read(&greedy)
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, p)
	}
	_, err := read(&greedy)
	if f, ok := errors.AsType[*fault.Error](err); !ok || f.Kind != fault.RateLimited || f.RetryAfter == 0 {
		t.Errorf("beyond its share: %v", err)
	}
	if _, err := read(&modest); err != nil {
		t.Errorf("another credential: %v", err)
	}
	held[0].release()
	if _, err := read(&greedy); err != nil {
		t.Errorf("after one was given back: %v", err)
	}
	if got := shareOf(512<<20, 32<<20); got != 128<<20 {
		t.Errorf("by default a credential may hold %d bytes", got)
	}
	if got := shareOf(64<<20, 32<<20); got != 64<<20 {
		t.Errorf("with little memory a credential may hold %d bytes, less than one body needs", got)
	}
}

// TestPayloadOutlivesItsReaders closes a reader while it writes.
func TestPayloadOutlivesItsReaders(t *testing.T) {
	t.Parallel()
	freed := make(chan struct{})
	p := &payload{bytes: []byte("hello"), free: func(p *payload) { clear(p.bytes); close(freed) }}
	p.hold()
	r := p.reader()
	p.release()
	in, out := make(chan struct{}), make(chan struct{})
	var got bytes.Buffer
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = r.WriteTo(writerFunc(func(b []byte) (int, error) {
			close(in)
			<-out
			return got.Write(b)
		}))
	}()
	<-in
	_ = r.Close()
	_ = r.Close()
	select {
	case <-freed:
		t.Fatal("the bytes were given back while they were being written")
	default:
	}
	close(out)
	<-done
	<-freed
	if got.String() != "hello" {
		t.Errorf("wrote %q", got.String())
	}
	if n, err := r.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("a closed reader gives %d, %v", n, err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

func TestErrorEventStandsAlone(t *testing.T) {
	t.Parallel()
	const event = "event: error\ndata: {}\n\n"
	if got := string(errorEvent([]byte("{}"), true)); got != event {
		t.Errorf("between events: %q", got)
	}
	if got := string(errorEvent([]byte("{}"), false)); got != "\n\n"+event {
		t.Errorf("within one: %q", got)
	}
}
