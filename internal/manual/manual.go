package manual

import (
	"fmt"
	"strings"
	"sync"
)

// Page is one page of section 1.
type Page struct {
	Name        string // "gatehouse-login"
	Short       string // one line, without a full stop
	Date        string // 2026-11-25
	Program     string // what made it, with its version: "gatehouse 0.1.0"
	Synopsis    string
	Description string // paragraphs; one with columns is kept as it is
	Options     []Item
	Sections    []Section
	SeeAlso     []string // names of other pages
}

// Item is a word and what it means.
type Item struct{ Term, Text string }

// Section is a part with a heading of its own.
type Section struct {
	Title string
	Items []Item
}

// Bytes is the page.
func (p Page) Bytes() []byte {
	var out strings.Builder
	fmt.Fprintf(&out, ".TH %s 1 %s \"%s\"\n", strings.ToUpper(escape(p.Name)), p.Date, escape(p.Program))
	fmt.Fprintf(&out, ".SH NAME\n%s \\- %s\n", escape(p.Name), escape(p.Short))
	fmt.Fprintf(&out, ".SH SYNOPSIS\n.B %s\n", escape(p.Synopsis))
	if p.Description != "" {
		out.WriteString(".SH DESCRIPTION\n")
		paragraphs(&out, p.Description)
	}
	sections := append([]Section{{"OPTIONS", p.Options}}, p.Sections...)
	for _, s := range sections {
		if len(s.Items) == 0 {
			continue
		}
		fmt.Fprintf(&out, ".SH %s\n", escape(strings.ToUpper(s.Title)))
		for _, item := range s.Items {
			fmt.Fprintf(&out, ".TP\n.B %s\n%s\n", escape(item.Term), line(item.Text))
		}
	}
	if len(p.SeeAlso) > 0 {
		out.WriteString(".SH SEE ALSO\n")
		for i, name := range p.SeeAlso {
			comma := ""
			if i < len(p.SeeAlso)-1 {
				comma = " ,"
			}
			fmt.Fprintf(&out, ".BR %s (1)%s\n", escape(name), comma)
		}
	}
	return []byte(out.String())
}

func paragraphs(out *strings.Builder, text string) {
	for i, p := range strings.Split(strings.TrimSpace(text), "\n\n") {
		if i > 0 {
			out.WriteString(".PP\n")
		}
		if !columns(p) {
			for l := range strings.Lines(p) {
				out.WriteString(line(strings.TrimSpace(l)) + "\n")
			}
			continue
		}
		out.WriteString(".nf\n")
		for l := range strings.Lines(p) {
			out.WriteString(line(strings.TrimRight(l, "\n")) + "\n")
		}
		out.WriteString(".fi\n")
	}
}

// columns reports whether a paragraph is a table: filling it would spoil it.
func columns(p string) bool {
	for l := range strings.Lines(p) {
		if strings.Contains(strings.TrimRight(l, "\n"), "  ") {
			return true
		}
	}
	return false
}

// line is a line of text that no request can be taken for.
func line(s string) string {
	s = escape(s)
	if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
		return `\&` + s
	}
	return s
}

var escapes = sync.OnceValue(func() *strings.Replacer {
	return strings.NewReplacer(`\`, `\e`, "-", `\-`, "\n", " ", "\t", " ", `"`, `\(dq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`)
})

func escape(s string) string { return escapes().Replace(s) }
