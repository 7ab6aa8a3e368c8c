package roster

import (
	"iter"
	"strings"
)

// readText reads addresses that stand in a text, with commas, semicolons, spaces
// or line ends between them: "ada@example.com; Grace Hopper <grace@example.com>".
func readText(text string) ([]Line, error) {
	var lines []Line
	for entry := range entries(text) {
		if len(lines) == MaxLines {
			return nil, tooMany()
		}
		l := Line{Number: len(lines) + 1, Raw: shown(entry, maxRaw)}
		name, raw := named(shown(entry, maxTyped))
		l.Name = shown(name, maxField)
		l.address(raw)
		lines = append(lines, l.done(""))
	}
	return finish(lines), nil
}

// entries cuts a text into what names one person each. Commas inside quotes
// belong to a name. Where an entry has several words and no brackets, each word
// is one of its own.
func entries(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for piece := range pieces(text) {
			each := strings.FieldsSeq(piece)
			if strings.Contains(piece, "<") || !strings.Contains(piece, "@") {
				each = bracketed(strings.TrimSpace(piece))
			}
			for entry := range each {
				if entry != "" && !yield(entry) {
					return
				}
			}
		}
	}
}

// pieces splits at commas, semicolons and line ends that are not in quotes. A
// quote that is not closed ends with its line.
func pieces(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for line := range strings.SplitSeq(text, "\n") {
			start, quoted := 0, false
			balanced := strings.Count(line, `"`)%2 == 0
			for i := 0; i < len(line); i++ {
				switch c := line[i]; {
				case c == '\\' && quoted:
					i++
				case c == '"' && balanced:
					quoted = !quoted
				case (c == ',' || c == ';') && !quoted:
					if !yield(line[start:i]) {
						return
					}
					start = i + 1
				}
			}
			if !yield(line[start:]) {
				return
			}
		}
	}
}

// bracketed splits "A <a@b> C <c@d>", where nothing but the brackets says where
// one ends. What comes before a name and is an address by itself is one.
func bracketed(piece string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for {
			end := strings.IndexByte(piece, '>')
			if end < 0 || end == len(piece)-1 {
				split(piece, yield)
				return
			}
			if !split(piece[:end+1], yield) {
				return
			}
			piece = strings.TrimSpace(piece[end+1:])
		}
	}
}

// split takes leading addresses off "a@b Name <c@d>". It reports whether to go on.
func split(entry string, yield func(string) bool) bool {
	for {
		word, rest, more := strings.Cut(entry, " ")
		if _, ok := address(word); !ok || !more {
			return yield(entry)
		}
		if !yield(word) {
			return false
		}
		entry = strings.TrimSpace(rest)
	}
}
