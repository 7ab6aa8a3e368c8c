package direct

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// origin is a server that is scripted connection by connection.
type origin struct {
	net.Listener
	mu    sync.Mutex
	conns int
}

// listen starts one; serve is called for every connection with its number.
func listen(t *testing.T, serve func(n int, c net.Conn, in *bufio.Reader)) (*origin, *Pool) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o := &origin{Listener: l}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			o.mu.Lock()
			o.conns++
			n := o.conns
			o.mu.Unlock()
			wg.Go(func() {
				defer c.Close()
				serve(n, c, bufio.NewReader(c))
			})
		}
	})
	p := New(Config{Address: l.Addr().String(), Host: "origin.test"})
	t.Cleanup(wg.Wait)
	t.Cleanup(func() { l.Close(); p.Close() })
	return o, p
}

func (o *origin) count() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.conns
}

// take reads one request whole.
func take(in *bufio.Reader) (head *http.Request, body string, err error) {
	r, err := http.ReadRequest(in)
	if err != nil {
		return nil, "", err
	}
	text, err := io.ReadAll(r.Body)
	return r, string(text), err
}

func answer(body string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// echo answers every request with its body.
func echo(_ int, c net.Conn, in *bufio.Reader) {
	for {
		_, body, err := take(in)
		if err != nil {
			return
		}
		io.WriteString(c, answer(body))
	}
}

func ask(t *testing.T, p *Pool, body string) (string, error) {
	t.Helper()
	response, err := p.Send(t.Context(), &Request{Target: "/x?y=z", Header: http.Header{"A": {"b", "c"}}, Body: []byte(body)})
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return string(text), err
}

func want(t *testing.T, p *Pool, body, answer string) {
	t.Helper()
	if got, err := ask(t, p, body); err != nil || got != answer {
		t.Fatalf("got %.100q, %v, want %.100q", got, err, answer)
	}
}

func TestReuse(t *testing.T) {
	t.Parallel()
	o, p := listen(t, echo)
	for _, size := range []int{0, 10, together, together + 1, 1 << 20, 10} {
		body := strings.Repeat("x", size)
		want(t, p, body, body)
	}
	if o.count() != 1 {
		t.Errorf("%d connections were made", o.count())
	}
}

func TestRequestOnTheWire(t *testing.T) {
	t.Parallel()
	_, p := listen(t, func(_ int, c net.Conn, in *bufio.Reader) {
		for { // a second request on the connection must not meet its end
			r, body, err := take(in)
			if err != nil {
				return
			}
			io.WriteString(c, answer(fmt.Sprint(r.Method, r.RequestURI, r.Host, r.Header, body)))
		}
	})
	want(t, p, "hi", "POST/x?y=zorigin.testmap[A:[b c] Content-Length:[2]]hi")
	response, err := p.Send(t.Context(), &Request{Target: "/", Header: http.Header{"A": {"b"}, "C": {"d"}, "E": {"f"}}, Own: []Field{{"A", []string{"ours"}}, {"C", nil}}})
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := io.ReadAll(response.Body); string(got) != "POST/origin.testmap[A:[ours] Content-Length:[0] E:[f]]" {
		t.Errorf("with fields of our own: %s", got)
	}
	response.Body.Close()
	for _, bad := range []*Request{
		{Target: "/x y"}, {Target: "/x\r\nA: b"}, {Target: "/", Header: http.Header{"A": {"b\r\nC: d"}}}, {Target: "/", Header: http.Header{"A: b": {"c"}}},
		{Target: "/", Header: http.Header{"A:b": {"c"}}}, {Target: "/", Header: http.Header{"": {"c"}}}, {Target: "/", Header: http.Header{"A": {"\x00"}}},
	} {
		if _, err := p.Send(t.Context(), bad); !errors.Is(err, errBadHeader) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

// TestClosedAtRest has the origin close a connection that was kept.
func TestClosedAtRest(t *testing.T) {
	t.Parallel()
	closed := make(chan struct{})
	o, p := listen(t, func(n int, c net.Conn, in *bufio.Reader) {
		if n > 1 {
			echo(n, c, in)
			return
		}
		take(in)
		io.WriteString(c, answer("first"))
		c.Close()
		close(closed)
	})
	want(t, p, "a", "first")
	<-closed
	want(t, p, "b", "b")
	if o.count() != 2 {
		t.Errorf("%d connections were made", o.count())
	}
}

// TestUninvited has the origin say more than it was asked for: the next request
// must not read that as its answer.
func TestUninvited(t *testing.T) {
	t.Parallel()
	for name, extra := range map[string]string{"at once": answer("stolen"), "one byte": "x"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, p := listen(t, func(n int, c net.Conn, in *bufio.Reader) {
				if n > 1 {
					echo(n, c, in)
					return
				}
				take(in)
				io.WriteString(c, answer("first")+extra)
				io.Copy(io.Discard, in)
			})
			want(t, p, "a", "first")
			want(t, p, "mine", "mine")
		})
	}
}

// TestLostInTheMiddle has the origin read a request and close: it may have been
// served, so it is not sent again.
func TestLostInTheMiddle(t *testing.T) {
	t.Parallel()
	served := 0
	var mu sync.Mutex
	_, p := listen(t, func(n int, c net.Conn, in *bufio.Reader) {
		for i := range 2 {
			if _, _, err := take(in); err != nil {
				return
			}
			mu.Lock()
			served++
			mu.Unlock()
			if i == 0 {
				io.WriteString(c, answer("first"))
			}
		}
	})
	want(t, p, "a", "first")
	if got, err := ask(t, p, "b"); err == nil {
		t.Errorf("got %q", got)
	}
	mu.Lock()
	defer mu.Unlock()
	if served != 2 {
		t.Errorf("the origin saw %d requests", served)
	}
}

func TestAnswerBeforeTheBodyIsRead(t *testing.T) {
	t.Parallel()
	_, p := listen(t, func(_ int, c net.Conn, in *bufio.Reader) {
		if _, err := http.ReadRequest(in); err != nil {
			return
		}
		io.WriteString(c, "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
		c.(*net.TCPConn).CloseWrite()
		io.Copy(io.Discard, in)
	})
	want(t, p, strings.Repeat("x", 8<<20), "no")
	want(t, p, "", "no")
}

func TestOddAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, bytes, body, fails string }{
		{"news on the way", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + answer("ok"), "ok", ""},
		{"endless news", strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 20), "", "too long"},
		{"until the end", "HTTP/1.0 200 OK\r\n\r\nok", "ok", ""},
		{"chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n", "ok", ""},
		{"chunks broken off", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n", "", "unexpected EOF"},
		{"length broken off", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok", "", "unexpected EOF"},
		{"another protocol", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", "", "nobody asked"},
		{"a long header", "HTTP/1.1 200 OK\r\nA: " + strings.Repeat("x", maxHeader) + "\r\n\r\n", "", "too long"},
		{"no HTTP at all", "SSH-2.0-x\r\n", "", "malformed"},
		{"nothing", "", "", "before an answer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, p := listen(t, func(_ int, conn net.Conn, in *bufio.Reader) {
				if _, _, err := take(in); err == nil {
					io.WriteString(conn, c.bytes)
				}
			})
			got, err := ask(t, p, "x")
			if c.fails == "" && (err != nil || got != c.body) {
				t.Errorf("got %q, %v", got, err)
			}
			if c.fails != "" && (err == nil || !strings.Contains(err.Error(), c.fails)) {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	gone := make(chan struct{}, 2)
	_, p := listen(t, func(_ int, c net.Conn, in *bufio.Reader) {
		_, body, _ := take(in)
		if body == "stream" {
			io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
		}
		io.Copy(io.Discard, in) // until the client closes
		gone <- struct{}{}
	})
	ctx, cancel := context.WithCancel(t.Context())
	response, err := p.Send(ctx, &Request{Target: "/", Body: []byte("stream")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := response.Body.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	cancel()
	<-gone
	if _, err := response.Body.Read(make([]byte, 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("the body ends with %v", err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	go func() {
		time.AfterFunc(10*time.Millisecond, cancel)
	}()
	if _, err := p.Send(ctx, &Request{Target: "/", Body: []byte("wait")}); !errors.Is(err, context.Canceled) {
		t.Errorf("Send ends with %v", err)
	}
	<-gone
}

func TestHeaderWithin(t *testing.T) {
	t.Parallel()
	_, p := listen(t, func(_ int, c net.Conn, in *bufio.Reader) { io.Copy(io.Discard, in) })
	p.cfg.HeaderWithin = 20 * time.Millisecond
	if _, err := ask(t, p, "x"); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Send ends with %v", err)
	}
}

func TestIdleConnectionsEnd(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{}, 1)
	_, p := listen(t, func(n int, c net.Conn, in *bufio.Reader) {
		echo(n, c, in) // returns when the connection is closed
		ended <- struct{}{}
	})
	p.cfg.IdleFor = 10 * time.Millisecond
	want(t, p, "x", "x")
	<-ended
	want(t, p, "y", "y")
}

func TestMany(t *testing.T) {
	t.Parallel()
	_, p := listen(t, echo)
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			for j := range 50 {
				body := strings.Repeat(fmt.Sprintf("<%d-%d>", i, j), 1+(i*j*31)%4000)
				if got, err := ask(t, p, body); err != nil || got != body {
					t.Errorf("got another's answer, or %v", err)
				}
			}
		})
	}
	wg.Wait()
}

// TestRefusalWithoutABody announces the body of an error, and of a small answer, and never
// sends it; what a model answers may take its time.
func TestRefusalWithoutABody(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	_, p := listen(t, func(n int, c net.Conn, in *bufio.Reader) {
		status := []string{"", "503 Service Unavailable", "200 OK", "200 OK"}[n]
		if _, err := http.ReadRequest(in); err != nil {
			t.Error(err)
		}
		_, _ = io.WriteString(c, "HTTP/1.1 "+status+"\r\nContent-Length: 2\r\n\r\n")
		<-release
		if n == 3 {
			_, _ = io.WriteString(c, "ok")
		}
	})
	p.cfg.BriefWithin = 20 * time.Millisecond
	for n, r := range []*Request{{Target: "/"}, {Target: "/", Brief: true}, {Target: "/"}} {
		response, err := p.Send(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if n == 2 {
			close(release)
		}
		got, err := io.ReadAll(response.Body)
		if late := errors.Is(err, os.ErrDeadlineExceeded); late == (n == 2) || (n == 2) != (string(got) == "ok") {
			t.Errorf("answer %d: %q, %v", n, got, err)
		}
		response.Body.Close()
	}
}
