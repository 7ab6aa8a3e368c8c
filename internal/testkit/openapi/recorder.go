package openapi

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"
)

// Recorder is a transport that holds what passes to a document: every answer,
// and every body that was accepted. A body that the document refuses has to be
// answered with 400.
type Recorder struct {
	T        testing.TB
	Document *Document

	mu   sync.Mutex
	seen map[string]bool
}

// RoundTrip makes the Recorder an http.RoundTripper.
func (c *Recorder) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	got, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer got.Body.Close()
	answer, err := io.ReadAll(got.Body)
	if err != nil {
		return nil, err
	}
	got.Body = io.NopCloser(bytes.NewReader(answer))
	c.hold(r, body, got, answer)
	return got, nil
}

func (c *Recorder) hold(r *http.Request, body []byte, got *http.Response, answer []byte) {
	op := c.Document.Operation(r.Method, r.URL.Path)
	if op == "" {
		if got.StatusCode != http.StatusNotFound {
			c.T.Errorf("%s %s is answered with %d and not described", r.Method, r.URL.Path, got.StatusCode)
		}
		return
	}
	if kind := got.Header.Get("Content-Type"); kind != "application/json" {
		c.T.Errorf("%s: Content-Type %q", op, kind)
	}
	if err := c.Document.CheckAnswer(op, got.StatusCode, answer); err != nil {
		c.T.Errorf("%s: %d %s\n%v", op, got.StatusCode, answer, err)
	}
	if c.Document.Body(op) != nil && (len(body) > 0 || c.Document.NeedsBody(op)) && got.StatusCode != http.StatusUnauthorized && got.StatusCode != http.StatusForbidden && got.StatusCode != http.StatusTooManyRequests {
		if err := c.Document.CheckBody(op, body); err != nil && got.StatusCode != http.StatusBadRequest {
			c.T.Errorf("%s accepts %s (%d)\n%v", op, body, got.StatusCode, err)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen == nil {
		c.seen = map[string]bool{}
	}
	if got.StatusCode == http.StatusOK {
		c.seen[op] = true
	}
}

// Missing lists what was described and never answered with 200.
func (c *Recorder) Missing() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.DeleteFunc(c.Document.Operations(), func(op string) bool { return c.seen[op] })
}
