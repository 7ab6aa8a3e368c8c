package simulated

import (
	"bytes"
	"strconv"
	"strings"
	"time"
)

// directive is how a message asks the model to behave.
type directive struct {
	words    int
	delay    time.Duration
	first    time.Duration
	fail     int
	cut      int // events before the connection breaks; 0: never
	overload int // events before an error event; 0: never
	tool     string
}

// The bounds of what a message can ask for.
const (
	maxWords  = 20_000
	maxDelay  = 10 * time.Second
	maxTotal  = 10 * time.Minute
	maxFirst  = 30 * time.Second
	maxEvents = 100_000
	maxName   = 64
)

// kinds are the API's error types by status.
var kinds = map[int]string{400: "invalid_request_error", 401: "authentication_error", 402: "billing_error", 403: "permission_error",
	404: "not_found_error", 413: "request_too_large", 429: "rate_limit_error", 500: "api_error", 504: "timeout_error", 529: "overloaded_error"}

const usage = "[simulate: …] knows words=N delay=D first=D error=N cut=N overload=N tool=NAME"

// directed reads the last directive in a raw text. A text without one asks for
// nothing.
func directed(text []byte) (d directive, bad *problem) {
	_, rest, found := cutLast(text, "[simulate:")
	if !found {
		return d, nil
	}
	inside, _, closed := bytes.Cut(rest, []byte("]"))
	if !closed || len(inside) > 1000 {
		return d, invalid("%s", usage)
	}
	for word := range strings.FieldsSeq(string(inside)) {
		name, value, _ := strings.Cut(word, "=")
		if !d.set(name, value) {
			return d, invalid("%s: %q is not among them, or out of bounds", usage, word)
		}
	}
	return d, nil
}

func (d *directive) set(name, value string) (ok bool) {
	switch name {
	case "words":
		d.words, ok = number(value, maxWords)
	case "delay":
		d.delay, ok = duration(value, maxDelay)
	case "first":
		d.first, ok = duration(value, maxFirst)
	case "error":
		d.fail, ok = number(value, 599)
		ok = ok && kinds[d.fail] != ""
	case "cut":
		d.cut, ok = number(value, maxEvents)
	case "overload":
		d.overload, ok = number(value, maxEvents)
	case "tool":
		d.tool = value
		ok = value != "" && len(value) <= maxName && strings.Trim(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == ""
	}
	return ok
}

func number(value string, most int) (int, bool) {
	n, err := strconv.Atoi(value)
	return n, err == nil && n > 0 && n <= most
}

func duration(value string, most time.Duration) (time.Duration, bool) {
	d, err := time.ParseDuration(value)
	return d, err == nil && d >= 0 && d <= most
}

func cutLast(text []byte, sep string) (before, after []byte, found bool) {
	if i := bytes.LastIndex(text, []byte(sep)); i >= 0 {
		return text[:i], text[i+len(sep):], true
	}
	return text, nil, false
}
