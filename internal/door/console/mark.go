package console

import (
	"encoding/hex"
	"math"
	"strings"
	"unicode"
)

// orgMark is how people see in which organization they are: its initials on a
// square of its colour. Both colours are attributes of an SVG: the page's policy
// allows no style of its own.
type orgMark struct{ Initials, Fill, Ink string }

// plainMark is the colour of an organization that has chosen none.
const plainMark = "#3650c4"

func markOf(name, color string) *orgMark {
	rgb, ok := readColor(color)
	if !ok {
		color = plainMark
		rgb, _ = readColor(color)
	}
	return &orgMark{initials(name), color, inkOn(luminance(rgb[0], rgb[1], rgb[2]))}
}

// readColor reads "#1d4ed8".
func readColor(color string) (rgb [3]byte, ok bool) {
	if len(color) != 7 || color[0] != '#' {
		return rgb, false
	}
	_, err := hex.Decode(rgb[:], []byte(color[1:]))
	return rgb, err == nil
}

// initials are the first signs of a name's first two words.
func initials(name string) string {
	var signs []rune
	for word := range strings.FieldsFuncSeq(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		for _, r := range word {
			signs = append(signs, unicode.ToUpper(r))
			break
		}
		if len(signs) == 2 {
			break
		}
	}
	if len(signs) == 0 {
		return "·"
	}
	return string(signs)
}

// linear are the shares of light of an sRGB channel's values (WCAG 2.2, relative
// luminance).
var linear = func() (all [256]float64) {
	for i := range all {
		if c := float64(i) / 255; c <= 0.04045 {
			all[i] = c / 12.92
		} else {
			all[i] = math.Pow((c+0.055)/1.055, 2.4)
		}
	}
	return all
}()

// luminance is from 0 for black to 1 for white.
func luminance(r, g, b byte) float64 {
	return 0.2126*linear[r] + 0.7152*linear[g] + 0.0722*linear[b]
}

// inkOn is black or white, whichever is better read on a colour. One of them
// always has a contrast of 4.58 and more: where both are alike, each has √21.
func inkOn(luminance float64) string {
	if (luminance+0.05)*(luminance+0.05) > 1.05*0.05 {
		return "#000000"
	}
	return "#ffffff"
}
