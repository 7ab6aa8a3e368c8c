package openapi

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Document is an OpenAPI 3.1 document. It may be used concurrently.
type Document struct {
	paths    map[string]any
	compiler *jsonschema.Compiler

	mu       sync.Mutex
	compiled map[string]*jsonschema.Schema
}

type object = map[string]any

const url = "https://openapi.test/document.json"

// Read reads a document and makes the schemas of its answers strict.
func Read(t testing.TB, raw []byte) *Document {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatalf("the OpenAPI document: %v", err)
	}
	d := &Document{paths: doc.(object)["paths"].(object), compiler: jsonschema.NewCompiler(), compiled: map[string]*jsonschema.Schema{}}
	for _, op := range d.Operations() {
		for _, answer := range d.operation(op)["responses"].(object) {
			tighten(schemaOf(answer))
		}
	}
	d.compiler.DefaultDraft(jsonschema.Draft2020)
	d.compiler.AssertFormat()
	if err := d.compiler.AddResource(url, doc); err != nil {
		t.Fatalf("the OpenAPI document: %v", err)
	}
	return d
}

// tighten refuses fields that an object's schema does not name.
func tighten(schema any) {
	switch v := schema.(type) {
	case object:
		if _, ok := v["properties"]; ok {
			v["additionalProperties"] = false
		}
		for _, inner := range v {
			tighten(inner)
		}
	case []any:
		for _, inner := range v {
			tighten(inner)
		}
	}
}

// Operations lists what is described, as "GET /path/{id}".
func (d *Document) Operations() []string {
	var all []string
	for path, methods := range d.paths {
		for method := range methods.(object) {
			all = append(all, strings.ToUpper(method)+" "+path)
		}
	}
	slices.Sort(all)
	return all
}

func (d *Document) operation(name string) object {
	method, path, _ := strings.Cut(name, " ")
	methods, _ := d.paths[path].(object)
	op, _ := methods[strings.ToLower(method)].(object)
	return op
}

func schemaOf(described any) any {
	v, _ := described.(object)
	for _, name := range []string{"content", "application/json", "schema"} {
		v, _ = v[name].(object)
	}
	return v
}

// Operation finds what describes a request; nothing does if it is empty.
func (d *Document) Operation(method, path string) string {
	for _, op := range d.Operations() {
		if m, template, _ := strings.Cut(op, " "); m == method && matches(template, path) {
			return op
		}
	}
	return ""
}

func matches(template, path string) bool {
	want, got := strings.Split(template, "/"), strings.Split(path, "/")
	return slices.EqualFunc(want, got, func(w, g string) bool { return w == g || (strings.HasPrefix(w, "{") && g != "") })
}

// Body is the schema of an operation's body, as JSON has it; nil if it has none.
func (d *Document) Body(op string) map[string]any {
	schema, _ := schemaOf(d.operation(op)["requestBody"]).(object)
	return schema
}

// NeedsBody reports whether an operation's body cannot be left out.
func (d *Document) NeedsBody(op string) bool {
	body, _ := d.operation(op)["requestBody"].(object)
	needed, _ := body["required"].(bool)
	return needed
}

// CheckBody says what is wrong with a body.
func (d *Document) CheckBody(op string, raw []byte) error {
	return d.check(raw, op, "requestBody")
}

// CheckAnswer says what is wrong with an answer.
func (d *Document) CheckAnswer(op string, status int, raw []byte) error {
	answer := "default"
	if status == 200 {
		answer = "200"
	}
	return d.check(raw, op, "responses", answer)
}

func (d *Document) check(raw []byte, op string, at ...string) error {
	schema, err := d.schema(op, at...)
	if err != nil {
		return err
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	return schema.Validate(v)
}

func (d *Document) schema(op string, at ...string) (*jsonschema.Schema, error) {
	method, path, _ := strings.Cut(op, " ")
	pointer := url + "#"
	for _, part := range slices.Concat([]string{"paths", path, strings.ToLower(method)}, at, []string{"content", "application/json", "schema"}) {
		pointer += "/" + strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(part)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if s := d.compiled[pointer]; s != nil {
		return s, nil
	}
	s, err := d.compiler.Compile(pointer)
	d.compiled[pointer] = s
	return s, err
}

// Loose lists the fields of answers that need not be there, as "field of GET
// /path", which readers have to be told of.
func (d *Document) Loose() []string {
	found := map[string]bool{}
	for _, op := range d.Operations() {
		for _, answer := range d.operation(op)["responses"].(object) {
			loose(schemaOf(answer), func(field string) { found[field] = true })
		}
	}
	return slices.Sorted(maps.Keys(found))
}

func loose(schema any, found func(string)) {
	switch v := schema.(type) {
	case object:
		properties, _ := v["properties"].(object)
		required, _ := v["required"].([]any)
		for name := range properties {
			if !slices.Contains(required, any(name)) {
				found(name)
			}
		}
		for _, inner := range v {
			loose(inner, found)
		}
	case []any:
		for _, inner := range v {
			loose(inner, found)
		}
	}
}
