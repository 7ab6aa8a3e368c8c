package launch

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

// Format is a way to write an environment down.
type Format string

// The formats.
const (
	Shell      Format = "shell" // POSIX: sh, bash, zsh, ksh
	Fish       Format = "fish"
	PowerShell Format = "powershell"
	Dotenv     Format = "dotenv" // a .env file
	GitHub     Format = "github" // the file that $GITHUB_ENV names
	JSON       Format = "json"   // {"set": {NAME: value}, "unset": [NAME]}
)

// Formats are all of them, in the order in which people are told.
func Formats() []Format { return []Format{Shell, Fish, PowerShell, Dotenv, GitHub, JSON} }

// Unsets says whether the format can take variables away.
func (f Format) Unsets() bool { return f != Dotenv && f != GitHub }

// Render writes the variables down so that the reader of the format gets every
// value byte by byte. Names must be plain ([A-Z0-9_]). It fails with Invalid for
// an unknown format, and with Unsupported for a value that the format cannot
// hold.
func (f Format) Render(set []Variable, unset []string) (string, error) {
	if f == JSON {
		return renderJSON(set, unset)
	}
	var out strings.Builder
	if f.Unsets() {
		for _, name := range unset {
			out.WriteString(f.forget(name) + "\n")
		}
	}
	for _, v := range set {
		line, err := f.assign(v)
		if err != nil {
			return "", err
		}
		out.WriteString(line + "\n")
	}
	return out.String(), nil
}

func (f Format) forget(name string) string {
	switch f {
	case Fish:
		return "set -e " + name
	case PowerShell:
		return "Remove-Item -ErrorAction Ignore Env:" + name
	}
	return "unset " + name
}

func (f Format) assign(v Variable) (string, error) {
	switch f {
	case Shell:
		return "export " + v.Name + "=" + ShellWord(v.Value), nil
	case Fish:
		return "set -gx " + v.Name + " '" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(v.Value) + "'", nil
	case PowerShell:
		return "$env:" + v.Name + " = '" + powerShellQuotes.Replace(v.Value) + "'", nil
	case Dotenv:
		return dotenv(v)
	case GitHub:
		if strings.ContainsAny(v.Value, "\r\n") {
			return "", unsupported(v.Name, GitHub)
		}
		return v.Name + "=" + v.Value, nil
	}
	return "", fault.New(fault.Invalid, "%q is no format", string(f))
}

// PowerShell ends a text at any of these, and takes two of them for one.
var powerShellQuotes = strings.NewReplacer("'", "''", "\u2018", "\u2018\u2018", "\u2019", "\u2019\u2019",
	"\u201a", "\u201a\u201a", "\u201b", "\u201b\u201b")

// dotenv writes only what all readers of .env files read alike: they differ in
// what a backslash and a quote mean.
func dotenv(v Variable) (string, error) {
	switch {
	case isPlain(v.Value):
		return v.Name + "=" + v.Value, nil
	case strings.ContainsAny(v.Value, "'\r\n") || strings.Contains(v.Value, `\\`) || strings.HasSuffix(v.Value, `\`):
		return "", unsupported(v.Name, Dotenv)
	}
	return v.Name + "='" + v.Value + "'", nil
}

func unsupported(name string, f Format) error {
	return fault.New(fault.Unsupported, "the value of %s has characters that the format %s cannot hold", name, f).
		WithHint("gatehouse env --format json")
}

func renderJSON(set []Variable, unset []string) (string, error) {
	object := struct {
		Set   map[string]string `json:"set"`
		Unset []string          `json:"unset"`
	}{map[string]string{}, append([]string{}, unset...)}
	for _, v := range set {
		object.Set[v.Name] = v.Value
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(object)
	return out.String(), err
}

// ShellWord quotes a text as one word of a POSIX shell.
func ShellWord(s string) string {
	if isPlain(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// isPlain says that a text means itself everywhere, unquoted.
func isPlain(s string) bool {
	strange := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("/._-+,:@", r)
	}
	return s != "" && strings.IndexFunc(s, strange) < 0
}
