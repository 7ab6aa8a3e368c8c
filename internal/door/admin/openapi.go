package admin

import (
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/gatehouse-dev/gatehouse/api"
)

type object = map[string]any

// document is the OpenAPI description of the door, made from its operations and
// the types that they take and answer.
var document = sync.OnceValue(func() []byte {
	paths := object{}
	for _, op := range New(Config{}).operations() {
		method, path, _ := strings.Cut(op.pattern, " ")
		path = root + path
		if paths[path] == nil {
			paths[path] = object{}
		}
		paths[path].(object)[strings.ToLower(method)] = op.describe(path)
	}
	raw, err := json.MarshalIndent(object{
		"openapi": "3.1.0", "info": object{"title": "Gatehouse Admin API", "version": "1"}, "paths": paths,
		"security": []object{{"key": []string{}}, {"bearer": []string{}}},
		"components": object{"securitySchemes": object{
			"key":    object{"type": "apiKey", "in": "header", "name": "x-api-key"},
			"bearer": object{"type": "http", "scheme": "bearer"}}},
	}, "", " ")
	if err != nil {
		panic(err) // nothing in it but maps, texts and lists
	}
	return raw
})

func (d *Door) describe(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(document()) // the client has gone: nobody to tell
}

func (op operation) describe(path string) object {
	params := []object{}
	for rest := path; ; {
		_, after, ok := strings.Cut(rest, "{")
		if !ok {
			break
		}
		var name string
		name, rest, _ = strings.Cut(after, "}")
		params = append(params, object{"name": name, "in": "path", "required": true, "schema": object{"type": "string"}})
	}
	for _, name := range op.query {
		schema := object{"type": "string"}
		switch {
		case name == "limit":
			schema = object{"type": "integer", "minimum": 1, "maximum": maxLimit, "default": defaultLimit}
		case strings.HasPrefix(name, "include_"):
			schema = object{"type": "boolean"}
		case strings.HasSuffix(name, "[]"):
			schema = object{"type": "array", "items": object{"type": "string"}}
		}
		params = append(params, object{"name": name, "in": "query", "schema": schema})
	}
	out := object{"summary": op.summary, "parameters": params, "responses": object{
		"200":     object{"description": op.summary, "content": content(op.out, false)},
		"default": object{"description": "What went wrong", "content": content(reflect.TypeFor[api.Error](), false)}}}
	if op.in != nil {
		out["requestBody"] = object{"required": !op.bare, "content": content(op.in, true)}
	}
	return out
}

func content(t reflect.Type, strict bool) object {
	return object{"application/json": object{"schema": schemas{strict}.of(t)}}
}

// schemas describes types as they are written. Strict ones say that a field
// which they do not name is refused: bodies are read so, whereas answers may
// have more fields in later versions. The structs have no cycles.
type schemas struct{ strict bool }

func (s schemas) of(t reflect.Type) object {
	switch t {
	case reflect.TypeFor[api.Time]():
		return object{"type": "string", "format": "date-time"}
	case reflect.TypeFor[*api.Null]():
		return object{"type": "null"}
	}
	if value, ok := optional(t); ok {
		return s.of(value)
	}
	if all, ok := valuesOf(t); ok {
		return object{"type": "string", "enum": all}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return orNull(s.of(t.Elem()))
	case reflect.Slice:
		return object{"type": "array", "items": s.of(t.Elem())}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": s.of(t.Elem())}
	case reflect.Int, reflect.Int64:
		return object{"type": "integer"}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Struct:
		return s.ofStruct(t)
	}
	return object{"type": "string"}
}

func orNull(schema object) object { return object{"anyOf": []object{schema, {"type": "null"}}} }

// ofStruct describes a struct, or, if some of its fields are there for one value
// of its type alone, what it is for each of these.
func (s schemas) ofStruct(t reflect.Type) object {
	kind, ok := t.FieldByName("Type")
	all, closed := []string(nil), false
	if ok {
		all, closed = valuesOf(kind.Type)
	}
	if !closed || !slices.ContainsFunc(slices.Collect(t.Fields()), func(f reflect.StructField) bool { return f.Tag.Get("of") != "" }) {
		return s.variant(t, "")
	}
	var variants []object
	for _, v := range all {
		variants = append(variants, s.variant(t, v))
	}
	return object{"oneOf": variants}
}

func (s schemas) variant(t reflect.Type, kind string) object {
	properties, required := object{}, []string{}
	for f := range t.Fields() {
		name, rest, _ := strings.Cut(f.Tag.Get("json"), ",")
		schema, of := s.of(f.Type), f.Tag.Get("of")
		is := f.Tag.Get("const")
		if name == "type" && kind != "" {
			is = kind
		}
		switch {
		case of != "" && of != kind:
			continue
		case is != "":
			schema = object{"type": "string", "const": is}
		case rest != "" && (f.Type.Kind() == reflect.Map || f.Type.Kind() == reflect.Slice):
			schema = orNull(schema)
		}
		properties[name] = schema
		if rest == "" || of != "" {
			required = append(required, name)
		}
	}
	out := object{"type": "object", "properties": properties, "required": required}
	if s.strict {
		out["additionalProperties"] = false
	}
	return out
}
