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
	b := &bodies{max: 3 << 20, room: 8 << 20, within: time.Minute}
	read := func(body string, length int64) (*payload, error) {
		r := httptest.NewRequest("POST", "/", io.MultiReader(strings.NewReader(body))) // of no type that tells its length
		r.ContentLength = length
		return b.read(httptest.NewRecorder(), r)
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
	if _, err := b.read(httptest.NewRecorder(), r); !fault.Is(err, fault.Invalid) {
		t.Errorf("a body that breaks off: %v", err)
	}
	if used := b.used.Load(); used != 0 {
		t.Fatalf("%d bytes are not given back", used)
	}
}

type failing struct{}

func (*failing) Read([]byte) (int, error) { return 0, errors.New("broken") }

func TestBodiesHaveRoomForSoMany(t *testing.T) {
	t.Parallel()
	b := &bodies{max: 3 << 20, room: 5 << 20, within: time.Minute}
	var held []*payload
	for range 2 {
		p, err := b.read(httptest.NewRecorder(), httptest.NewRequest("POST", "/", strings.NewReader(strings.Repeat("x", 1<<20+1))))
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, p)
	}
	full := httptest.NewRequest("POST", "/", strings.NewReader(strings.Repeat("x", 1<<20+1)))
	if _, err := b.read(httptest.NewRecorder(), full); !fault.Is(err, fault.Unavailable) {
		t.Errorf("beyond the room: %v", err)
	}
	held[0].release()
	if _, err := b.read(httptest.NewRecorder(), httptest.NewRequest("POST", "/", strings.NewReader(strings.Repeat("x", 1<<20+1)))); err != nil {
		t.Errorf("after one was given back: %v", err)
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
