package roster

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

const (
	// MaxLines is how many people a list can name.
	MaxLines = 5000
	// MaxBytes is how long a list can be.
	MaxBytes = 2 << 20

	maxRaw   = 1000 // bytes of a line that are shown
	maxTyped = 8000 // bytes of a line that is mended
	maxField = 254
	maxMany  = 20   // groups, or workspaces, of one line
	maxNames = 1000 // bytes of these
)

// Person is somebody a list names. Only Email is always there in a line that
// has no problem.
type Person struct {
	Email      string
	Name       string
	Role       string
	Groups     []string // names or ids, as they were written
	Workspaces []string
}

// Line is one entry of a list.
type Line struct {
	Number  int    // of the line in a table; of the entry in a text; from 1
	Raw     string // as it was written, cut to what is worth showing
	Typed   string // as it can be mended: ReadLine finds the same in it, and the same fault
	Problem string // what is wrong, as the end of a sentence; empty: nothing
	Repeats int    // the number of an earlier line with the same address; 0: none
	Person
}

// Read reads a list that was pasted: a table if it looks like one, and addresses
// with whatever is between them otherwise.
func Read(text string) ([]Line, error) {
	text, err := clean(text)
	if err != nil {
		return nil, err
	}
	if looksLikeTable(text) {
		return readTable(text)
	}
	return readText(text)
}

// ReadTable reads a list that came as a CSV file.
func ReadTable(text string) ([]Line, error) {
	text, err := clean(text)
	if err != nil {
		return nil, err
	}
	return readTable(text)
}

// clean is the text without what programs put around it.
func clean(text string) (string, error) {
	if len(text) > MaxBytes {
		return "", fault.New(fault.TooLarge, "the list is larger than %d MiB", MaxBytes>>20).At("list").WithHint("split it into several")
	}
	if strings.HasPrefix(text, "\xff\xfe") || strings.HasPrefix(text, "\xfe\xff") || strings.HasPrefix(text, "PK\x03\x04") {
		return "", fault.New(fault.Invalid, "this is not a CSV file in UTF-8").At("list").WithHint("save it as CSV (UTF-8) in the spreadsheet program")
	}
	text = strings.TrimPrefix(text, "\ufeff")
	if strings.ContainsRune(text, 0) {
		return "", fault.New(fault.Invalid, "this is not a text").At("list").WithHint("save the list as CSV (UTF-8)")
	}
	text = strings.ToValidUTF8(text, "\ufffd")
	return strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n"), nil
}

func tooMany() error {
	return fault.New(fault.TooLarge, "the list names more than %d people", MaxLines).At("list").WithHint("split it into several")
}

// finish looks at lines as a whole: it marks those that repeat another.
func finish(lines []Line) []Line {
	seen := make(map[string]int, len(lines))
	for i := range lines {
		l := &lines[i]
		if l.Problem != "" {
			continue
		}
		if first, ok := seen[l.Email]; ok {
			l.Repeats = first
			continue
		}
		seen[l.Email] = l.Number
	}
	return lines
}

// shown is text fit to be kept and shown: one line, bounded, without what
// changes how others are read. What could not be decoded stays visible.
func shown(text string, most int) string {
	var out strings.Builder
	gap := 0
	for _, r := range text {
		switch {
		case unicode.IsSpace(r):
			gap = min(out.Len(), 1)
			continue
		case unicode.In(r, unicode.C):
			continue
		}
		if out.Len()+gap+utf8.RuneLen(r) > most {
			break
		}
		if gap > 0 {
			out.WriteByte(' ')
		}
		gap = 0
		out.WriteRune(r)
	}
	return out.String()
}

// done completes a line that was read.
func (l Line) done(surplus string) Line {
	l.Typed = write(l.Person, surplus)
	if strings.ContainsRune(l.Typed, utf8.RuneError) {
		l.problem("some of its letters cannot be read: the list is perhaps not in UTF-8")
	}
	return l
}

// problem says first what is wrong with a field that people can mend.
func (l *Line) problem(format string, args ...any) {
	if l.Problem == "" {
		l.Problem = fmt.Sprintf(format, args...)
	}
}
