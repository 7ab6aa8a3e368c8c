package doctor

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/atomicfile"
	"github.com/gatehouse-dev/gatehouse/internal/editor"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/jsontext"
	"github.com/gatehouse-dev/gatehouse/internal/redact"
	"github.com/gatehouse-dev/gatehouse/internal/settingsfile"
)

// telling are the beginnings of names of variables that a bundle lists. It never
// holds a value, and of other variables not even the name.
var telling = []string{"ANTHROPIC_", "CLAUDE_", "CLAUDECODE", "GATEHOUSE_", "AWS_", "GOOGLE_", "GCLOUD_", "CLOUD_ML_", "AZURE_", "VERTEX_", "OTEL_",
	"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy", "NODE_", "SSL_CERT_", "XDG_", "WSL_", "SSH_",
	"CI", "GITHUB_ACTIONS", "CODESPACES", "VSCODE_", "TERM_PROGRAM", "TERMINAL_EMULATOR", "DISPLAY", "WAYLAND_DISPLAY", "TMUX", "USE_BUILTIN_RIPGREP"}

// bundled is a finding as it travels.
type bundled struct {
	Name    string   `json:"name"`
	State   string   `json:"state"`
	Code    string   `json:"code,omitempty"`
	Items   []string `json:"items,omitempty"`
	Says    string   `json:"says"`
	Because string   `json:"because,omitempty"`
}

const fromOutside = "(the sentence holds words from outside this machine, and is left out)"

// Bundle is a zip file for whoever helps: what was found, the names of
// variables that matter, and settings without their texts. environ are
// "NAME=value" as the system has them; program is the version of the command.
// No value of a variable, no text of a setting, nothing that a server, a program
// or the command line said gets in.
func (e *Examination) Bundle(program string, findings []Finding, environ []string) ([]byte, error) {
	var list []bundled
	for _, f := range findings {
		b := bundled{Name: f.Name, State: string(f.State), Code: f.Code, Items: f.Items, Says: e.homeless(f.Says), Because: f.Because}
		if f.Foreign {
			b.Says = fromOutside
		}
		list = append(list, b)
	}
	whole, err := json.MarshalIndent(map[string]any{"program": program, "system": e.System, "arch": e.Arch, "release": e.Release, "claude_version": e.Claude, "checks": list}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encoding the findings: %w", err)
	}
	files := [][2]string{{"README.txt", bundleReadme}, {"findings.json", string(whole)}, {"variables.txt", strings.Join(named(environ), "\n") + "\n"}}
	for _, s := range e.settingsToBundle() {
		text, err := os.ReadFile(s[1])
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		shown := []byte("it cannot be read\n")
		if err == nil && len(text) <= settingsfile.MaxSize {
			if stripped, err := redact.Settings(text, jsontext.Comments); err == nil {
				shown = stripped
			} else {
				shown = fmt.Appendf(nil, "%d bytes that are no settings\n", len(text))
			}
		}
		files = append(files, [2]string{"settings/" + s[0] + ".json", string(shown)})
	}
	return zipped(files, e.Now())
}

const bundleReadme = `This file was made by "gatehouse doctor --bundle". It holds what the checks found,
the names of variables of the environment (no values), and settings files without
their texts (keys, numbers and switches only). Look through it before you send it.
`

// settingsToBundle are the regular files that are looked into, with the names
// that they get.
func (e *Examination) settingsToBundle() [][2]string {
	list := [][2]string{}
	add := func(name, path string) {
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			list = append(list, [2]string{name, path})
		}
	}
	for i, path := range e.files() {
		add(fmt.Sprintf("claude-code-%d", i+1), path)
	}
	for _, name := range editor.Names() {
		if path, err := editor.UserSettings(name, e.System, e.Home, e.Getenv); err == nil {
			add("editor-"+name, path)
		}
	}
	return list
}

// homeless leaves the person's name out of paths.
func (e *Examination) homeless(s string) string {
	if len(e.Home) > 1 {
		s = strings.ReplaceAll(s, filepath.Clean(e.Home), "~")
	}
	return redact.Text(s)
}

func named(environ []string) (names []string) {
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if value != "" && slices.ContainsFunc(telling, func(begin string) bool { return strings.HasPrefix(name, begin) }) && isName(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func isName(s string) bool {
	return len(s) <= 64 && strings.IndexFunc(s, func(r rune) bool {
		return !(r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_')
	}) < 0
}

func zipped(files [][2]string, now time.Time) ([]byte, error) {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range files {
		part, err := w.CreateHeader(&zip.FileHeader{Name: f[0], Method: zip.Deflate, Modified: now.UTC()})
		if err == nil {
			_, err = part.Write([]byte(f[1]))
		}
		if err != nil {
			return nil, fmt.Errorf("packing the bundle: %w", err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("packing the bundle: %w", err)
	}
	return out.Bytes(), nil
}

// WriteBundle puts a bundle where nothing is yet, readable by its owner alone.
func WriteBundle(path string, bundle []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, atomicfile.SecretFile)
	if errors.Is(err, fs.ErrExist) {
		return fault.New(fault.Conflict, "%s is there already", path).WithHint("gatehouse doctor --bundle another.zip")
	}
	if err != nil {
		return fmt.Errorf("making the bundle: %w", err)
	}
	_, err = f.Write(bundle)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		_ = os.Remove(path)
		return fmt.Errorf("writing the bundle: %w", err)
	}
	return nil
}
