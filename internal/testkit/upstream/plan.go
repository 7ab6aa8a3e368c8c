package upstream

import "bytes"

// Plan says how one request is answered. The zero value is the plain answer:
// 200, as many words as Words says or max_tokens allows, nothing held back.
type Plan struct {
	// Status and Body replace the answer when Status is not 0; Header is added
	// to any answer. An empty Body becomes the API's error of that status.
	Status int
	Body   string
	Header map[string]string

	// Words is the number of words of the answer, 12 when 0, each one output
	// token and one event of a stream; max_tokens cuts it.
	Words int

	// Hold keeps the whole answer back until the channel gives or is closed.
	Hold <-chan struct{}
	// Step, when not nil, is received from before each event of a stream after
	// the first; a closed channel lets all the others pass.
	Step <-chan struct{}
	// Pings is the number of ping events after message_start; the API sends one.
	Pings int
	// NoPing leaves out the one that is sent when Pings is 0.
	NoPing bool
	// Comment is sent as a comment line after message_start.
	Comment string
	// BreakAfter cuts the connection after so many events of a stream, or in
	// the middle of a JSON answer. 0 is never.
	BreakAfter int
	// StreamError ends a stream with an error event of this type after half of
	// its words, such as overloaded_error.
	StreamError string
	// Gzip compresses the answer where the request accepts that.
	Gzip bool
}

// Slowly holds streams back for ever whose request says "slowly": for tests that look
// at a stream that does not end.
func Slowly(r *Request) Plan {
	if bytes.Contains(r.Body, []byte("slowly")) {
		return Plan{Step: make(chan struct{})}
	}
	return Plan{}
}

const plainWords = 12

func (p Plan) words(asked Asked) int {
	n := p.Words
	if n == 0 {
		n = plainWords
	}
	if asked.MaxTokens > 0 && asked.MaxTokens < n {
		n = asked.MaxTokens
	}
	return n
}
