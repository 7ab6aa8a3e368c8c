package admin

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"sync"

	"github.com/gatehouse-dev/gatehouse/api"
)

type object = map[string]any

// document is the OpenAPI description of the door, made from its operations and
// the types that they take and answer.
var document = sync.OnceValue(func() []byte {
	paths := object{}
	for _, op := range operations {
		method, path, _ := strings.Cut(op.pattern, " ")
		path = "/v1/organizations" + path
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
		"200":     object{"description": op.summary, "content": content(op.out)},
		"default": object{"description": "What went wrong", "content": content(api.Error{})}}}
	if op.in != nil {
		out["requestBody"] = object{"required": true, "content": content(op.in)}
	}
	return out
}

func content(v any) object {
	return object{"application/json": object{"schema": schemaOf(reflect.TypeOf(v))}}
}

// schemaOf describes a type as it is written. Its structs have no cycles.
func schemaOf(t reflect.Type) object {
	if t == reflect.TypeFor[api.Time]() {
		return object{"type": "string", "format": "date-time"}
	}
	if all, ok := reflect.Zero(t).Interface().(interface{ Values() []string }); ok && t.Kind() == reflect.String {
		return object{"type": "string", "enum": all.Values()}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return object{"anyOf": []object{schemaOf(t.Elem()), {"type": "null"}}}
	case reflect.Slice:
		return object{"type": "array", "items": schemaOf(t.Elem())}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": schemaOf(t.Elem())}
	case reflect.Int64:
		return object{"type": "integer"}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Struct:
		if value, ok := t.FieldByName("Value"); ok && strings.HasPrefix(t.Name(), "Optional[") {
			return schemaOf(value.Type)
		}
		return structSchema(t)
	}
	return object{"type": "string"}
}

func structSchema(t reflect.Type) object {
	properties, required := object{}, []string{}
	for f := range t.Fields() {
		name, rest, _ := strings.Cut(f.Tag.Get("json"), ",")
		schema := schemaOf(f.Type)
		if is := f.Tag.Get("const"); is != "" {
			schema = object{"type": "string", "const": is}
		}
		properties[name] = schema
		if rest == "" {
			required = append(required, name)
		}
	}
	return object{"type": "object", "properties": properties, "required": required}
}
