package qrcode

import (
	"fmt"
	"strings"

	"rsc.io/qr"
)

// quiet is the light border that a reader needs, in modules.
const quiet = 4

// maxText bounds what is drawn: more gives a code that fits no terminal.
const maxText = 400

// Picture is a drawn code.
type Picture struct {
	Lines []string // each with its colours, and back to the terminal's own at the end
	Width int      // of each line, in characters
}

// Draw draws a text. It fails if that is empty or too long.
func Draw(text string) (Picture, error) {
	if text == "" || len(text) > maxText {
		return Picture{}, fmt.Errorf("a text of %d bytes makes no code for a terminal", len(text))
	}
	code, err := qr.Encode(text, qr.L) // a screen is not torn or stained
	if err != nil {
		return Picture{}, fmt.Errorf("making the code: %w", err)
	}
	p := Picture{Width: code.Size + 2*quiet}
	for y := -quiet; y < code.Size+quiet; y += 2 {
		p.Lines = append(p.Lines, line(code, y))
	}
	return p, nil
}

// line draws the modules of two rows. What is outside of the code is light.
func line(code *qr.Code, y int) string {
	var b strings.Builder
	before := ""
	for x := -quiet; x < code.Size+quiet; x++ {
		colours := "\x1b[38;5;" + colour(code.Black(x, y)) + ";48;5;" + colour(code.Black(x, y+1)) + "m"
		if colours != before {
			b.WriteString(colours)
			before = colours
		}
		b.WriteRune('▀')
	}
	b.WriteString("\x1b[0m")
	return b.String()
}

// colour is one that themes do not change: the first 16 are the terminal's own.
func colour(black bool) string {
	if black {
		return "16"
	}
	return "231"
}

// Beside writes lines of text at the right of a picture, in the middle, if both
// fit into so many columns; ok is false if they do not.
func (p Picture) Beside(text []string, columns int) (lines []string, ok bool) {
	const gap = 2
	begin := (len(p.Lines) - len(text)) / 2
	if len(text) > len(p.Lines) {
		return nil, false
	}
	for i, l := range p.Lines {
		if at := i - begin; at >= 0 && at < len(text) && text[at] != "" {
			if p.Width+gap+len([]rune(text[at])) > columns {
				return nil, false
			}
			l += strings.Repeat(" ", gap) + text[at]
		}
		lines = append(lines, l)
	}
	return lines, true
}
