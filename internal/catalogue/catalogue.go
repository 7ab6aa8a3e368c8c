package catalogue

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/price"
)

// Provider is whose names and abilities are meant.
type Provider string

const (
	Anthropic    Provider = "anthropic"
	AnthropicAWS Provider = "anthropic-aws"
	Bedrock      Provider = "bedrock"
	Mantle       Provider = "bedrock-mantle"
	Vertex       Provider = "vertex"
	Foundry      Provider = "foundry"
)

//go:embed catalogue.json
var embedded []byte

// Default returns the catalogue that comes with the program.
var Default = sync.OnceValue(func() *Catalogue {
	c, err := Parse(embedded)
	if err != nil {
		panic("the embedded catalogue is wrong: " + err.Error()) // a test parses it
	}
	return c
})

// Catalogue is what is known. It does not change and may be used concurrently.
type Catalogue struct {
	version string
	names   map[Provider]map[string]string // :: model → name there; "": it is not there
	betas   map[Provider]map[string]BetaRow
}

// NameRow says what a model is called where the rules do not say it.
type NameRow struct {
	Model    string   `json:"model"`
	Provider Provider `json:"provider"`
	Name     string   `json:"name"` // without a geography; "": the provider does not have it
	Source   string   `json:"source"`
	Date     string   `json:"date"`
}

// BetaRow says what becomes of a beta at a provider that does not take it as it is.
type BetaRow struct {
	Beta     string   `json:"beta"`
	Provider Provider `json:"provider"`
	As       string   `json:"as"`     // what it is called there; "": it is left out
	Fields   []string `json:"fields"` // members of the body that are left out with it
	Source   string   `json:"source"`
	Date     string   `json:"date"`
}

type document struct {
	Version string    `json:"version"`
	Names   []NameRow `json:"names"`
	Betas   []BetaRow `json:"betas"`
}

// Parse reads a catalogue. Unknown members, and rows without a source or a date,
// are errors.
func Parse(text []byte) (*Catalogue, error) {
	c := &Catalogue{names: map[Provider]map[string]string{}, betas: map[Provider]map[string]BetaRow{}}
	return c, c.add(text)
}

// With returns a catalogue in which the rows of another text come first.
func (c *Catalogue) With(text []byte) (*Catalogue, error) {
	more := &Catalogue{version: c.version, names: map[Provider]map[string]string{}, betas: map[Provider]map[string]BetaRow{}}
	for p, names := range c.names {
		more.names[p] = maps.Clone(names)
	}
	for p, betas := range c.betas {
		more.betas[p] = maps.Clone(betas)
	}
	return more, more.add(text)
}

func (c *Catalogue) add(text []byte) error {
	var d document
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&d); err != nil {
		return fmt.Errorf("reading the catalogue: %w", err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return fmt.Errorf("the catalogue goes on after its end")
	}
	if d.Version == "" {
		return fmt.Errorf("the catalogue names no version")
	}
	for _, row := range d.Names {
		if err := checkRow(row.Provider, row.Source, row.Date, row.Model); err != nil {
			return err
		}
		if c.names[row.Provider] == nil {
			c.names[row.Provider] = map[string]string{}
		}
		c.names[row.Provider][row.Model] = row.Name
	}
	for _, row := range d.Betas {
		if err := checkRow(row.Provider, row.Source, row.Date, row.Beta); err != nil {
			return err
		}
		if c.betas[row.Provider] == nil {
			c.betas[row.Provider] = map[string]BetaRow{}
		}
		c.betas[row.Provider][row.Beta] = row
	}
	c.version = d.Version
	return nil
}

var providers = []Provider{Anthropic, AnthropicAWS, Bedrock, Mantle, Vertex, Foundry}

func checkRow(p Provider, source, date, what string) error {
	if !slices.Contains(providers, p) {
		return fmt.Errorf("the catalogue names a provider %q", p)
	}
	if _, err := time.Parse(time.DateOnly, date); err != nil || source == "" || what == "" {
		return fmt.Errorf("the catalogue's row for %q at %s needs a source and a date", what, p)
	}
	return nil
}

// Version names the catalogue.
func (c *Catalogue) Version() string { return c.version }

// Place is where at a provider a model is asked for.
type Place struct {
	Geography string            // of Bedrock's inference profiles, such as "eu"; "": none
	Names     map[string]string // of this upstream: model → name; they come first
}

// Model is the id of the Anthropic API for a model that is named as any provider
// or client names it.
func Model(name string) string {
	name = price.Plain(name)
	model, date, ok := strings.Cut(name, "@")
	if !ok || date == "default" || date == "latest" {
		return model
	}
	return model + "-" + date
}

// Canonical is the id of the Anthropic API for a model that a client names, or the
// name itself if no model can be called so: an ARN of one's own.
func Canonical(name string) string {
	if model := Model(name); plausible(model) {
		return model
	}
	return name
}

// On is what a model is called on a provider, and whether it is there.
func (c *Catalogue) On(p Provider, at Place, asked string) (string, bool) {
	model := Model(asked)
	if name := at.Names[model]; name != "" {
		return name, true
	}
	for _, name := range at.Names { // asked for as it is called there
		if name == asked {
			return name, true
		}
	}
	if !plausible(model) {
		return "", false
	}
	if p == Foundry { // deployments are named by whoever made them, after the model by default
		return model, true
	}
	name, known := c.names[p][model]
	switch {
	case known && name == "":
		return "", false
	case !known:
		name = RuleName(p, model)
	}
	if p == Bedrock && at.Geography != "" {
		name = at.Geography + "." + name
	}
	return name, true
}

// plausible reports whether a name can be one of a model: nothing that an address
// could be made of.
func plausible(model string) bool {
	if !strings.HasPrefix(model, "claude-") || len(model) > 100 {
		return false
	}
	return !strings.ContainsFunc(model, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '.'
	})
}

// RuleName is a model's name as a provider makes it from the id, without a
// geography.
func RuleName(p Provider, model string) string {
	base, date := cutDate(model)
	switch {
	case p == Bedrock && date != "":
		return "anthropic." + model + "-v1:0"
	case p == Bedrock, p == Mantle:
		return "anthropic." + model
	case p == Vertex && date != "":
		return base + "@" + date
	}
	return model
}

func cutDate(model string) (base, date string) {
	cut := len(model) - len("-20060102")
	if cut <= 0 || model[cut] != '-' || strings.Trim(model[cut+1:], "0123456789") != "" {
		return model, ""
	}
	return model[:cut], model[cut+1:]
}

// Rules are what becomes of betas at a provider.
type Rules struct{ rows map[string]BetaRow }

// Rules returns those of a provider.
func (c *Catalogue) Rules(p Provider) Rules { return Rules{c.betas[p]} }

// Apply returns the betas that a provider is sent, and the members of the body that
// are left out with the others. A beta of which nothing is known is sent: clients
// learn new ones faster than tables do. A field that another beta still needs stays.
func (r Rules) Apply(betas []string) (send []string, drop []string) {
	if len(r.rows) == 0 {
		return betas, nil
	}
	for _, b := range betas {
		row, known := r.rows[b]
		switch {
		case !known:
			send = append(send, b)
		case row.As != "" && !slices.Contains(send, row.As):
			send = append(send, row.As)
		case row.As == "":
			drop = append(drop, row.Fields...)
		}
	}
	return send, drop
}
