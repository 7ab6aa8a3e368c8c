package admin

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/testkit/openapi"
)

// taker is an operation with a body.
type taker struct {
	name string // in the OpenAPI document
	in   reflect.Type
}

func (k taker) decode(raw string) (any, error) {
	into := reflect.New(k.in).Interface()
	return into, decode(raw, into)
}

func takers() (all []taker) {
	for _, op := range New(Config{}).operations() {
		if op.in != nil {
			all = append(all, taker{strings.Replace(op.pattern, " ", " "+root, 1), op.in})
		}
	}
	return all
}

// FuzzDecode reads bodies as everything that takes one. What is accepted is what
// the OpenAPI document allows, and can be written and read again.
func FuzzDecode(f *testing.F) {
	doc, all := openapi.Read(f, document()), takers()
	for _, seed := range []string{`{"name":"x","tags":{"a":"1"}}`, `{"limits":[{"type":"requests_per_minute","value":null}]}`, `{"description":null}`,
		`{"role":"user","Role":"owner"}`, `{"role":"owner"}`, `{"tags":[]}`, `{"limits":{}}`, `{"limits":[[]]}`, `{"description":{"a":1,"a":2}}`, `{`, `{"a"`,
		`{"rol\u0065":"user"}`, ` {} x`, `{"tags":{"a":null},"external_key_id":{}}`, `{"data_residency":{"workspace_geo":"eu"}}`, `{"email":"a@example.com","role":"user","rbac_group_ids":[null]}`} {
		for i := range all {
			f.Add(uint8(i), seed)
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, raw string) {
		k := all[int(which)%len(all)]
		value, err := k.decode(raw)
		if err != nil {
			return
		}
		if err := doc.CheckBody(k.name, []byte(raw)); err != nil {
			t.Errorf("%s accepts %q: %v", k.name, raw, err)
		}
		again, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		second, err := k.decode(string(again))
		if err != nil {
			t.Fatalf("%s: %q is written as %s, and that is refused: %v", k.name, raw, again, err)
		}
		if twice, err := json.Marshal(second); err != nil || string(twice) != string(again) {
			t.Errorf("%s: %q is written as %s, and that as %s: %v", k.name, raw, again, twice, err)
		}
	})
}

// TestBodiesAreReadAsDescribed makes a body of each schema, and others that are
// wrong in one place: they are accepted and refused just as the document says.
func TestBodiesAreReadAsDescribed(t *testing.T) {
	doc := openapi.Read(t, document())
	for _, k := range takers() {
		good := sample(doc.Body(k.name)).(object)
		for what, body := range wrongs(good) {
			raw, err := json.Marshal(body)
			if err != nil {
				t.Fatal(err)
			}
			described := doc.CheckBody(k.name, raw)
			if _, err := k.decode(string(raw)); (err == nil) != (described == nil) {
				t.Errorf("%s, %s: %s is read with %v, and described with %v", k.name, what, raw, err, described)
			}
			if (what == "whole") != (described == nil) && (what == "whole" || what == "a field more") {
				t.Errorf("%s, %s: %s is described with %v", k.name, what, raw, described)
			}
		}
	}
}

// sample is a value that a schema allows, with everything in it.
func sample(schema object) any {
	if any, ok := schema["anyOf"].([]any); ok {
		return sample(any[0].(object))
	}
	if enum, ok := schema["enum"].([]any); ok {
		return enum[0]
	}
	switch schema["type"] {
	case "object":
		out := object{}
		properties, _ := schema["properties"].(object)
		for name, of := range properties {
			out[name] = sample(of.(object))
		}
		if of, ok := schema["additionalProperties"].(object); ok {
			out["key"] = sample(of)
		}
		return out
	case "array":
		return []any{sample(schema["items"].(object))}
	case "integer":
		return 7
	case "boolean":
		return true
	case "null":
		return nil
	}
	return "text"
}

// wrongs are variations of a body: each of its fields missing, null, of another
// type, and of another value, however deep it is.
func wrongs(body object) map[string]object {
	all := map[string]object{"whole": body, "a field more": with1(body, "is_admin", true)}
	for _, name := range slices.Sorted(maps.Keys(body)) {
		less := maps.Clone(body)
		delete(less, name)
		all["no "+name] = less
		for what, v := range map[string]any{"null": nil, "text": "text", "a number": 1, "a fraction": 1.5, "a list": []any{}, "an object": object{}, "a list of null": []any{nil}} {
			all[name+" is "+what] = with1(body, name, v)
		}
		switch inner := body[name].(type) {
		case object:
			for what, v := range wrongs(inner) {
				all[name+": "+what] = with1(body, name, v)
			}
		case []any:
			if first, ok := inner[0].(object); ok {
				for what, v := range wrongs(first) {
					all[name+"[0]: "+what] = with1(body, name, []any{v})
				}
			}
		}
	}
	return all
}

func with1(body object, name string, v any) object {
	out := maps.Clone(body)
	out[name] = v
	return out
}
