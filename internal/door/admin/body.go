package admin

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

// readBody decodes a JSON object. Members that are unknown, written in another
// case or there twice are refused: a misspelt "status" must not look as if it
// had worked, and whoever checks a body elsewhere must read it as this does.
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
	if err := members(dec, reflect.TypeOf(into).Elem(), ""); err != nil {
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

// members reads one value and refuses members of objects in it that its type has
// not by exactly that name, or that are there twice.
func members(dec *json.Decoder, t reflect.Type, path string) error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	of, names := t, map[string]reflect.Type(nil)
	switch {
	case reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()):
		return dec.Decode(new(json.RawMessage))
	case t.Kind() == reflect.Struct:
		names = fields(t)
	case t.Kind() == reflect.Map || t.Kind() == reflect.Slice:
		of = t.Elem()
	default:
		return dec.Decode(new(json.RawMessage))
	}
	token, err := dec.Token()
	if err != nil {
		return err
	}
	object, array := token == json.Delim('{'), token == json.Delim('[')
	switch {
	case object && t.Kind() == reflect.Slice, array && t.Kind() != reflect.Slice:
		return fault.New(fault.Invalid, "%s: this is of another shape than documented", path).At(path)
	case !object && !array:
		return nil // null, or what decoding refuses
	}
	for seen := []string(nil); dec.More(); {
		at := path
		if object {
			if of, at, err = member(dec, of, names, &seen, path); err != nil {
				return err
			}
		}
		if err := members(dec, of, at); err != nil {
			return err
		}
	}
	_, err = dec.Token()
	return err
}

// member reads a member's name and says of what type its value is.
func member(dec *json.Decoder, of reflect.Type, names map[string]reflect.Type, seen *[]string, path string) (reflect.Type, string, error) {
	token, err := dec.Token()
	if err != nil {
		return nil, "", err
	}
	name, _ := token.(string)
	at := strings.TrimPrefix(path+"."+name, ".")
	if names != nil {
		known, ok := names[name]
		if !ok {
			return nil, "", fault.New(fault.Invalid, "%.200s: unknown field", at)
		}
		of = known
	}
	if slices.Contains(*seen, name) {
		return nil, "", fault.New(fault.Invalid, "%.200s: this field is there twice", at)
	}
	if *seen = append(*seen, name); len(*seen) > maxMembers {
		return nil, "", fault.New(fault.Invalid, "%.200s: there are more than %d fields", path, maxMembers)
	}
	return of, at, nil
}

// fields are the names of a struct's fields on the wire.
func fields(t reflect.Type) map[string]reflect.Type {
	all := map[string]reflect.Type{}
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		all[name] = f.Type
	}
	return all
}

// closed is a type whose values are all known.
type closed interface {
	~string
	Values() []string
}

// oneOf refuses a value that its type does not have.
func oneOf[T closed](field string, v T) error {
	if all := v.Values(); !slices.Contains(all, string(v)) {
		return fault.New(fault.Invalid, "%s must be one of %s", field, strings.Join(all, ", ")).At(field)
	}
	return nil
}
