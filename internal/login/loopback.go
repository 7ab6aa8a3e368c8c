package login

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

const callbackPath = "/callback"

// expectation is what an authorization answer must match to be believed.
type expectation struct {
	state          secret.Text
	issuer         string
	issuerRequired bool
}

// callback is the loopback listener of one sign-in (RFC 8252, section 7.3). It
// takes one answer, from a request that was really meant for it, and no other.
type callback struct {
	redirect string
	host     string
	want     expectation
	server   *http.Server
	answers  chan result

	mu   sync.Mutex
	used bool
}

type result struct {
	code secret.Text
	err  error
}

// listen opens the listener on a port of 127.0.0.1; 0 is one that is free.
func listen(port int, want expectation) (*callback, error) {
	l, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fault.Wrap(fault.Unsupported, err, fmt.Sprintf("port %d of this machine is taken by another program", port))
	}
	if err != nil {
		return nil, fault.New(fault.Unsupported, "a browser could not answer here: %w", err)
	}
	host := l.Addr().String()
	c := &callback{redirect: "http://" + host + callbackPath, host: host, want: want, answers: make(chan result, 1)}
	c.server = &http.Server{Handler: c, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 5 * time.Second,
		WriteTimeout: 5 * time.Second, IdleTimeout: 5 * time.Second, MaxHeaderBytes: 16 << 10}
	go func() { _ = c.server.Serve(l) }()
	return c, nil
}

// wait returns the first answer, from a browser or pasted. What is pasted and is
// none is refused, and the wait goes on.
func (c *callback) wait(ctx context.Context, hands Hands) (secret.Text, error) {
	for {
		select {
		case r := <-c.answers:
			return r.code, r.err
		case text, open := <-hands.Pasted:
			if !open {
				hands.Pasted = nil
				continue
			}
			r, err := c.paste(text)
			if err == nil {
				return r.code, r.err
			}
			if hands.Refused != nil {
				hands.Refused(err)
			}
		case <-ctx.Done():
			return secret.Text{}, fault.Wrap(fault.Timeout, ctx.Err(), "the sign-in was given up")
		}
	}
}

// close lets the page that says "done" reach the browser, but not for long.
func (c *callback) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	if c.server.Shutdown(ctx) != nil {
		_ = c.server.Close()
	}
}

// ServeHTTP takes the redirect. A request with another host (a page that
// rebinds its name to 127.0.0.1), path, method or state is turned away and the
// wait goes on: any page of the internet can make the browser ask here.
func (c *callback) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Connection", "close")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	switch {
	case r.Host != c.host:
		page(w, http.StatusMisdirectedRequest, "This is not a web site.")
	case r.URL.Path != callbackPath || r.URL.RawPath != "":
		page(w, http.StatusNotFound, "There is nothing here.")
	case r.Method != http.MethodGet:
		h.Set("Allow", http.MethodGet)
		page(w, http.StatusMethodNotAllowed, "There is nothing here.")
	default:
		c.take(w, r.URL.Query())
	}
}

func (c *callback) take(w http.ResponseWriter, query url.Values) {
	if c.want.state.Empty() || !secret.New(query.Get("state")).Equal(c.want.state) || !single(query) {
		page(w, http.StatusBadRequest, "This answer does not belong to the sign-in that waits here.")
		return
	}
	if !c.first() {
		page(w, http.StatusGone, "This sign-in is over. You can close this window.")
		return
	}
	r := c.read(query)
	if r.err != nil {
		page(w, http.StatusOK, "Nobody was signed in. You can close this window and go back to the terminal.")
	} else {
		page(w, http.StatusOK, "Almost done: the terminal finishes the sign-in. You can close this window.")
	}
	if f, ok := w.(http.Flusher); ok {
		f.Flush()
	}
	c.answers <- r
}

// first reports whether this is the first answer.
func (c *callback) first() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	is := !c.used
	c.used = true
	return is
}

// read takes the code out of an answer whose state is right. An answer of
// another issuer (RFC 9207) is a mix-up, and its code is never used.
func (c *callback) read(query url.Values) result {
	iss := query.Get("iss")
	if iss == "" && c.want.issuerRequired || iss != "" && !sameIssuer(iss, c.want.issuer) {
		return result{err: fault.New(fault.Denied, "the answer came from another server, %q", clean(iss))}
	}
	if code := query.Get("error"); code != "" {
		said := &refusal{Code: code, Description: query.Get("error_description")}
		if code == "access_denied" {
			return result{err: fault.New(fault.Denied, "the sign-in was denied")}
		}
		return result{err: fault.New(fault.Invalid, "the server refused the sign-in: %w", said)}
	}
	if query.Get("code") == "" {
		return result{err: fault.Wrap(fault.Invalid, errors.New("no code in the answer"), "the server's answer is incomplete")}
	}
	return result{code: secret.New(query.Get("code"))}
}

func sameIssuer(iss, want string) bool {
	got, err := ParseServer(iss)
	return err == nil && got == want
}

// single reports whether no parameter is there twice (RFC 6749, section 3.1).
func single(query url.Values) bool {
	for _, values := range query {
		if len(values) != 1 {
			return false
		}
	}
	return true
}

func page(w http.ResponseWriter, status int, text string) {
	w.WriteHeader(status)
	_, _ = io.WriteString(w, fmt.Sprintf("<!doctype html><html lang=en><meta charset=utf-8><title>Gatehouse</title><h1>Gatehouse</h1><p>%s</p></html>\n", text))
}
