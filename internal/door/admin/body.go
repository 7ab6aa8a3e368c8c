package admin

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/gatehouse-dev/gatehouse/api"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

// readBody decodes a JSON object. What the OpenAPI document does not allow is
// refused: a misspelt "status" must not look as if it had worked, and whoever
// checks a body elsewhere must read it as this does.
func readBody(r *http.Request, into any) error {
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	switch {
	case err != nil:
		return fault.Wrap(fault.Invalid, err, "the body did not arrive whole")
	case len(raw) > maxBody:
		return fault.New(fault.TooLarge, "the body is larger than %d bytes", maxBody)
	}
	return decode(string(raw), into)
}

func decode(raw string, into any) error {
	if !strings.HasPrefix(strings.TrimLeft(raw, " \t\r\n"), "{") {
		return fault.New(fault.Invalid, "the body must be a JSON object")
	}
	dec := json.NewDecoder(strings.NewReader(raw))
	if err := check(dec, reflect.TypeOf(into).Elem(), false, ""); err != nil {
		return malformed(err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return fault.New(fault.Invalid, "there is something after the JSON object")
	}
	return malformed(json.Unmarshal([]byte(raw), into))
}

func malformed(err error) error {
	var known *fault.Error
	var wrong *json.UnmarshalTypeError
	switch {
	case err == nil || errors.As(err, &known):
		return err
	case errors.As(err, &wrong) && wrong.Field != "":
		return fault.Wrap(fault.Invalid, err, wrong.Field+": a "+wrong.Value+" cannot be there").At(wrong.Field)
	}
	return fault.Wrap(fault.Invalid, err, "the body must be a JSON object of the documented shape")
}

// check reads one value and refuses what json.Unmarshal would let pass: fields
// that a type has not by exactly that name, that are there twice or are missing,
// null where it means nothing, and values that a closed type does not have.
func check(dec *json.Decoder, t reflect.Type, nullable bool, path string) error {
	t, nullable = bare(t, nullable)
	switch t.Kind() {
	case reflect.Struct, reflect.Map, reflect.Slice:
		return checkNested(dec, t, nullable, path)
	}
	var raw json.RawMessage
	if err := dec.Decode(&raw); err != nil {
		return err
	}
	if string(raw) == "null" {
		return null(nullable, path)
	}
	if all, ok := valuesOf(t); ok {
		var v string
		if json.Unmarshal(raw, &v) == nil && !slices.Contains(all, v) {
			return notOne(path, all)
		}
	}
	return nil
}

// bare takes off a type what says that it may be null.
func bare(t reflect.Type, nullable bool) (reflect.Type, bool) {
	if value, ok := optional(t); ok {
		t = value
	}
	for t.Kind() == reflect.Pointer {
		t, nullable = t.Elem(), true
	}
	return t, nullable
}

// optional is the type of the value of an api.Optional.
func optional(t reflect.Type) (reflect.Type, bool) {
	value, ok := reflect.StructField{}, false
	if t.Kind() == reflect.Struct && strings.HasPrefix(t.Name(), "Optional[") {
		value, ok = t.FieldByName("Value")
	}
	return value.Type, ok
}

func null(allowed bool, path string) error {
	if allowed {
		return nil
	}
	return fault.New(fault.Invalid, "%.200s: null cannot be there", path).At(path)
}

// checkNested is check for what has values in it.
func checkNested(dec *json.Decoder, t reflect.Type, nullable bool, path string) error {
	token, err := dec.Token()
	switch {
	case err != nil:
		return err
	case token == nil:
		return null(nullable, path)
	case t == reflect.TypeFor[api.Null]():
		return fault.New(fault.Invalid, "%.200s can be null alone: this server does not have it", path).At(path)
	case token == json.Delim('[') && t.Kind() == reflect.Slice:
		for dec.More() {
			if err := check(dec, t.Elem(), false, path); err != nil {
				return err
			}
		}
		_, err = dec.Token()
		return err
	case token == json.Delim('{') && t.Kind() != reflect.Slice:
		return checkObject(dec, t, path)
	}
	return fault.New(fault.Invalid, "%.200s: this is of another shape than documented", path).At(path)
}

// checkObject is check for what is behind an object's brace.
func checkObject(dec *json.Decoder, t reflect.Type, path string) error {
	known, seen := fields(t), map[string]bool{}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return err
		}
		name, _ := token.(string)
		at := strings.TrimPrefix(path+"."+name, ".")
		f, ok := known[name]
		if t.Kind() == reflect.Map {
			f, ok = field{of: t.Elem()}, true
		}
		switch {
		case !ok:
			return fault.New(fault.Invalid, "%.200s: unknown field", at).At(at)
		case seen[name]:
			return fault.New(fault.Invalid, "%.200s: this field is there twice", at).At(at)
		case len(seen) == maxMembers:
			return fault.New(fault.Invalid, "%.200s: there are more than %d fields", path, maxMembers).At(path)
		}
		seen[name] = true
		if err := check(dec, f.of, f.nullable, at); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(known)) {
		if known[name].needed && !seen[name] {
			at := strings.TrimPrefix(path+"."+name, ".")
			return fault.New(fault.Invalid, "%s: this field is needed", at).At(at)
		}
	}
	_, err := dec.Token()
	return err
}

// field is a field of a struct on the wire.
type field struct {
	of       reflect.Type
	needed   bool
	nullable bool // whatever its type says: an absent list or map can be null as well
}

// fields are those of a struct by their names.
func fields(t reflect.Type) map[string]field {
	all := map[string]field{}
	if t.Kind() != reflect.Struct {
		return all
	}
	for f := range t.Fields() {
		name, rest, _ := strings.Cut(f.Tag.Get("json"), ",")
		all[name] = field{of: f.Type, needed: rest == "", nullable: rest != "" && (f.Type.Kind() == reflect.Map || f.Type.Kind() == reflect.Slice)}
	}
	return all
}

// valuesOf are the values of a type that has a closed set of them.
func valuesOf(t reflect.Type) ([]string, bool) {
	v, ok := reflect.Zero(t).Interface().(interface{ Values() []string })
	if !ok || t.Kind() != reflect.String {
		return nil, false
	}
	return v.Values(), true
}

func notOne(field string, all []string) error {
	return fault.New(fault.Invalid, "%s must be one of %s", field, strings.Join(all, ", ")).At(field)
}

// closed is a type whose values are all known.
type closed interface {
	~string
	Values() []string
}

// oneOf refuses a value that its type does not have.
func oneOf[T closed](field string, v T) error {
	if all := v.Values(); !slices.Contains(all, string(v)) {
		return notOne(field, all)
	}
	return nil
}
