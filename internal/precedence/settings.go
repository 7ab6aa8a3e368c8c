package precedence

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/claudecode"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/helper"
)

// layer is one settings file, as far as credentials go.
type layer struct {
	place helper.Place
	file  string
	texts map[string]string // of the members that are texts; "" is one that is there and empty
	env   map[string]string
	orgs  *int // how many organizations forceLoginOrgUUID allows; nil: it is not there
	other []string
}

// members are the texts of settings that matter here.
var members = []string{string(helper.APIKey), string(helper.AWSExport), "forceLoginMethod"}

// deciders are members of managed settings whose effect is not known here.
var deciders = []string{"policyHelper", "allowedProviders"}

// layers reads all settings files, the weakest first, and tells of those that
// Claude Code leaves out.
func (m Machine) layers() (all []layer, notes []Note) {
	add := func(place helper.Place, file string) (l layer) {
		l, note, there := m.layer(place, file)
		if note != nil {
			notes = append(notes, *note)
		}
		if there {
			all = append(all, l)
		}
		return l
	}
	user, _ := claudecode.UserSettings(m.Home, m.Getenv) // no folder, no file
	if user != "" {
		// Its own env may lead to another folder, whose file then counts too.
		dir := add(helper.User, user).env[claudecode.ConfigFolder]
		if file := filepath.Join(dir, "settings.json"); filepath.IsAbs(dir) && file != user {
			add(helper.User, file)
		}
	}
	if m.Folder != "" {
		project := claudecode.ProjectSettings(m.Folder)
		if project[0] != user {
			add(helper.Project, project[0])
		}
		add(helper.Local, project[1])
	}
	for _, file := range m.managedFiles() {
		add(helper.Managed, file)
	}
	return all, notes
}

// managedFiles are in the order in which they are merged.
func (m Machine) managedFiles() []string {
	if m.Managed == "" {
		return nil
	}
	files := []string{claudecode.ManagedSettings(m.Managed)}
	dir := filepath.Join(m.Managed, "managed-settings.d")
	entries, _ := os.ReadDir(dir) // sorted; none if there is no folder
	for _, e := range entries {
		if name := e.Name(); strings.HasSuffix(name, ".json") && !strings.HasPrefix(name, ".") {
			files = append(files, filepath.Join(dir, name))
		}
	}
	return files
}

// layer reads one file. A mistake costs the whole file, in managed settings the
// member alone.
func (m Machine) layer(place helper.Place, file string) (l layer, note *Note, there bool) {
	raw, _, err := m.File(file)
	if err == nil {
		l, err = parseLayer(raw, place)
		l.file = file
	}
	switch {
	case fault.Is(err, fault.NotFound):
		return layer{}, nil, false
	case err != nil:
		return l, &Note{Code: Unreadable, Says: "Claude Code leaves " + file + " out, because " + fault.Message(err), Mend: "claude doctor"}, l.texts != nil
	}
	return l, nil, true
}

// parseLayer reads the members that matter. With an error the layer is empty,
// but for managed settings, of which the rest holds.
func parseLayer(raw []byte, place helper.Place) (layer, error) {
	var all map[string]json.RawMessage
	if json.Unmarshal(bytes.TrimPrefix(raw, []byte("\ufeff")), &all) != nil || all == nil {
		return layer{}, fault.New(fault.Invalid, "it is not the JSON object that it should be")
	}
	l := layer{place: place, texts: map[string]string{}, env: map[string]string{}}
	var wrong []string
	for _, key := range members {
		if value, there := all[key]; there {
			var s *string
			if json.Unmarshal(value, &s) != nil || s == nil {
				wrong = append(wrong, key)
				continue
			}
			l.texts[key] = *s
		}
	}
	if !l.readEnv(all["env"]) {
		wrong = append(wrong, "env")
	}
	var object map[string]json.RawMessage
	if p, there := all["permissions"]; there && json.Unmarshal(p, &object) != nil {
		wrong = append(wrong, "permissions")
	}
	l.readPolicy(all)
	switch {
	case len(wrong) == 0:
		return l, nil
	case place == helper.Managed:
		return l, fault.New(fault.Invalid, "of %s, which is not of the kind that it should be; the rest of the file holds", strings.Join(wrong, " and "))
	}
	return layer{}, fault.New(fault.Invalid, "%s is not of the kind that it should be", strings.Join(wrong, " and "))
}

// readEnv takes what is no text as the text that Claude Code makes of it.
func (l layer) readEnv(raw json.RawMessage) bool {
	if raw == nil {
		return true
	}
	var env map[string]json.RawMessage
	if json.Unmarshal(raw, &env) != nil || env == nil {
		return false
	}
	for name, value := range env {
		var s string
		switch {
		case bytes.Equal(value, []byte("null")):
			s = "null"
		case json.Unmarshal(value, &s) == nil:
		case value[0] == '{' || value[0] == '[':
			continue
		default:
			s = string(value)
		}
		l.env[name] = s
	}
	return true
}

func (l *layer) readPolicy(all map[string]json.RawMessage) {
	for _, key := range deciders {
		if all[key] != nil {
			l.other = append(l.other, key)
		}
	}
	raw, there := all["forceLoginOrgUUID"]
	if !there {
		return
	}
	var list []string
	var one string
	if json.Unmarshal(raw, &one) == nil && one != "" {
		list = []string{one}
	} else if json.Unmarshal(raw, &list) != nil {
		list = nil // what cannot be read allows nobody
	}
	n := len(list)
	l.orgs = &n
}

// Value is the text of a variable or setting, and where it was set.
type Value struct {
	Text  string
	File  string // the settings file; "" is the shell
	Place helper.Place
}

// Environment is the place of what the shell has set.
const Environment = "the environment"

// From names the place for a person.
func (v Value) From() string {
	if v.File == "" {
		return Environment
	}
	return v.File
}

// where is From, or "" for what is not set at all.
func (v Value) where() string {
	if v.Text == "" {
		return ""
	}
	return v.From()
}

// FromProject says that it came with the folder.
func (v Value) FromProject() bool {
	return v.File != "" && (v.Place == helper.Project || v.Place == helper.Local)
}

// effective is the variable as Claude Code has it.
func (m Machine) effective(all []layer, name string) Value {
	v := Value{Text: m.Getenv(name)}
	if routes(name) && claudecode.IsOn(m.Getenv(claudecode.Hosted)) {
		return v
	}
	for _, l := range all {
		if text, there := l.env[name]; there {
			v = Value{text, l.file, l.place}
		}
	}
	return v
}

// routes says whether a variable chooses a provider, an endpoint or a credential.
func routes(name string) bool {
	return slices.ContainsFunc(claudecode.Competitors(), func(c claudecode.Competitor) bool { return c.Name == name }) ||
		name == claudecode.ProfileName || name == claudecode.Headers || strings.HasSuffix(name, "_BASE_URL")
}

// setting is a member of the settings as Claude Code has it.
func setting(all []layer, key string) (v Value, there bool) {
	for _, l := range all {
		if text, ok := l.texts[key]; ok {
			v, there = Value{text, l.file, l.place}, true
		}
	}
	return v, there
}
