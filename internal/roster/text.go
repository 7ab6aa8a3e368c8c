package roster

import "strings"

// readText reads addresses that stand in a text, with commas, semicolons, spaces
// or line ends between them: "ada@example.com; Grace Hopper <grace@example.com>".
func readText(text string) ([]Line, error) {
	var lines []Line
	for _, entry := range entries(text) {
		if len(lines) == MaxLines {
			return nil, tooMany()
		}
		l := Line{Number: len(lines) + 1, Raw: shown(entry, maxRaw)}
		name, raw := named(entry)
		l.Name = shown(name, maxField)
		l.address(raw)
		lines = append(lines, l)
	}
	return finish(lines), nil
}

// entries cuts a text into what names one person each. Commas inside quotes
// belong to a name. Where an entry has several words and no brackets, each word
// that has an @ is one of its own.
func entries(text string) []string {
	var all []string
	for _, piece := range pieces(text) {
		piece = strings.TrimSpace(piece)
		switch {
		case piece == "":
		case strings.Contains(piece, "<") || !strings.Contains(piece, "@"):
			all = append(all, bracketed(piece)...)
		default:
			all = append(all, strings.Fields(piece)...)
		}
	}
	return all
}

// pieces splits at commas, semicolons and line ends that are not in quotes. A
// quote that is not closed ends with its line.
func pieces(text string) []string {
	var all []string
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
				all = append(all, line[start:i])
				start = i + 1
			}
		}
		all = append(all, line[start:])
	}
	return all
}

// bracketed splits "A <a@b> C <c@d>", where nothing but the brackets says where
// one ends. What comes before a name and is an address by itself is one.
func bracketed(piece string) []string {
	var all []string
	for {
		end := strings.IndexByte(piece, '>')
		if end < 0 || strings.TrimSpace(piece[end+1:]) == "" {
			break
		}
		all = append(all, split(strings.TrimSpace(piece[:end+1]))...)
		piece = piece[end+1:]
	}
	return append(all, split(strings.TrimSpace(piece))...)
}

// split takes leading addresses off "a@b Name <c@d>".
func split(entry string) []string {
	var all []string
	for {
		word, rest, more := strings.Cut(entry, " ")
		if _, ok := address(word); !ok || !more {
			return append(all, entry)
		}
		all, entry = append(all, word), strings.TrimSpace(rest)
	}
}
