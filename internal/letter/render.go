package letter

import (
	_ "embed"
	"html/template"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

//go:embed letter.html
var htmlSource string

var htmlTemplate = template.Must(template.New("letter").Parse(htmlSource))

// plain is the letter for programs that show text alone.
func plain(organization string, link secret.Text, p Parts) string {
	paragraphs := []string{p.Greeting}
	paragraphs = append(paragraphs, p.Lines...)
	if !link.Empty() {
		paragraphs = append(paragraphs, p.Button+":\n"+link.Reveal())
	}
	paragraphs = append(paragraphs, p.After...)
	paragraphs = append(paragraphs, "--\n"+p.Why+"\n"+from(organization))
	var kept []string
	for _, text := range paragraphs {
		if text != "" {
			kept = append(kept, text)
		}
	}
	return strings.Join(kept, "\n\n") + "\n"
}

func markup(subject, organization string, link secret.Text, p Parts) string {
	var out strings.Builder
	err := htmlTemplate.Execute(&out, struct {
		Parts
		Subject, From, Link string
	}{p, subject, from(organization), link.Reveal()})
	if err != nil {
		panic(err) // the template is wrong: it is given strings alone
	}
	return out.String()
}

func from(organization string) string {
	if organization == "" {
		return "Gatehouse"
	}
	return organization + ", by Gatehouse"
}

// lines returns the parts with every text made one line.
func (p Parts) lines() Parts {
	out := Parts{Greeting: oneLine(p.Greeting), Button: oneLine(p.Button), Why: oneLine(p.Why)}
	for _, text := range p.Lines {
		out.Lines = append(out.Lines, oneLine(text))
	}
	for _, text := range p.After {
		out.After = append(out.After, oneLine(text))
	}
	return out
}

// oneLine is text that can look like nothing but a part of its paragraph:
// somebody's name may not begin a paragraph of its own, nor turn the direction
// of what follows, nor hide in what cannot be seen.
func oneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == utf8.RuneError || unicode.In(r, unicode.C):
			return -1
		}
		return r
	}, text)
	return strings.Join(strings.Fields(text), " ")
}
