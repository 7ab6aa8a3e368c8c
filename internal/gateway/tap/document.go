package tap

import (
	"bytes"

	"github.com/gatehouse-dev/gatehouse/internal/price"
)

// maxUsage bounds what a Document keeps of the "usage" member.
const maxUsage = 8 << 10

// Document taps one JSON object. The zero Document is ready.
type Document struct {
	depth   int
	text    bool // inside a string
	escaped bool // after a backslash in a string
	after   bool // at depth 1, after a colon: a value and not a name follows
	names   bool // the string being read is a name at depth 1

	name    []byte // that name
	keeping bool   // inside the value of "usage"
	kept    []byte
	usage   reported
	counted bool
	length  int64
}

// Write shows the tap the next bytes.
func (d *Document) Write(piece []byte) {
	d.length += int64(len(piece))
	for i := 0; i < len(piece); {
		if d.text {
			i += d.inString(piece[i:])
			continue
		}
		c := piece[i]
		i++
		d.keep(c)
		d.structure(c)
	}
}

func (d *Document) structure(c byte) {
	switch c {
	case '"':
		d.text = true
		if d.names = d.depth == 1 && !d.after; d.names {
			d.name = d.name[:0]
		}
	case '{', '[':
		if d.depth++; d.depth == 2 && d.after && c == '{' && string(d.name) == "usage" {
			d.keeping, d.kept = true, append(d.kept[:0], c)
		}
	case '}', ']':
		if d.depth--; d.depth == 1 && d.keeping {
			d.keeping = false
			if len(d.kept) < maxUsage {
				d.counted = true
				d.usage.take(d.kept)
			}
		}
	case ':':
		if d.depth == 1 {
			d.after = true
		}
	case ',':
		if d.depth == 1 {
			d.after = false
		}
	}
}

// inString consumes a string's content up to and including its closing quote,
// or all there is, and returns how much that was.
func (d *Document) inString(piece []byte) int {
	n := 0
	for n < len(piece) {
		if d.escaped {
			d.escaped = false
			n++
			continue
		}
		at := quoteOrSlant(piece[n:])
		if at < 0 {
			n = len(piece)
			break
		}
		n += at + 1
		if piece[n-1] == '"' {
			d.text = false
			break
		}
		d.escaped = true
	}
	if d.names {
		d.keepName(piece[:n])
	}
	if d.keeping {
		for _, c := range piece[:n] {
			d.keep(c)
		}
	}
	return n
}

// quoteOrSlant is the index of the next quote or backslash, -1 without one. It
// looks a stretch at a time, so that a text with many escapes costs no more
// than one without.
func quoteOrSlant(piece []byte) int {
	for from := 0; from < len(piece); from += 64 {
		stretch := piece[from:min(from+64, len(piece))]
		quote := bytes.IndexByte(stretch, '"')
		if quote >= 0 {
			stretch = stretch[:quote]
		}
		if slant := bytes.IndexByte(stretch, '\\'); slant >= 0 {
			return from + slant
		}
		if quote >= 0 {
			return from + quote
		}
	}
	return -1
}

func (d *Document) keepName(part []byte) {
	if !d.text {
		part = part[:len(part)-1] // without the closing quote
	}
	if room := 8 - len(d.name); len(part) > room {
		part = part[:room] // longer than any name we look for
	}
	d.name = append(d.name, part...)
}

func (d *Document) keep(c byte) {
	if d.keeping && len(d.kept) < maxUsage {
		d.kept = append(d.kept, c)
	}
}

// Tokens returns what was used, and whether that had to be estimated because
// the document does not say. inputChars is what to estimate the input from.
func (d *Document) Tokens(inputChars int64) (used price.Tokens, estimated bool) {
	if d.counted {
		return d.usage.tokens(), false
	}
	return price.Tokens{Input: Estimate(inputChars), Output: Estimate(d.length)}, true
}
