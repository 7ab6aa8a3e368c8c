package jsonscan

import (
	"bytes"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

// ToolModels are the models that the tools of a request name, such as an advisor's:
// models that answer beside the request's own. body must be one that ReadRequest
// has read. It fails with fault.Invalid if one of them is no string.
func ToolModels(body []byte) (models []string, err error) {
	err = Members(body, func(name, value []byte) error {
		if !called(name, "tools") || value[0] != '[' {
			return nil
		}
		return elements(value, func(tool []byte) error {
			if tool[0] != '{' {
				return nil // the model's own server complains
			}
			return Members(tool, func(name, value []byte) error {
				if !called(name, "model") {
					return nil
				}
				model, ok := String(value)
				if !ok || len(model) > maxModel {
					return fault.New(fault.Invalid, "the model of a tool must be a string").At("tools")
				}
				models = append(models, model)
				return nil
			})
		})
	})
	return models, err
}

// called reports whether a name, as it is written, may be read as another.
func called(name []byte, as string) bool {
	name, ok := unescaped(name)
	return ok && bytes.EqualFold(name, []byte(as))
}

// elements calls visit with every element of the array that text is.
func elements(text []byte, visit func(value []byte) error) error {
	at := space(text, 1)
	if at < len(text) && text[at] == ']' {
		return nil
	}
	for at < len(text) {
		end, err := Value(text, at)
		if err != nil {
			return err
		}
		if err := visit(text[at:end]); err != nil {
			return err
		}
		if at = space(text, end); at >= len(text) || text[at] == ']' {
			return nil
		}
		at = space(text, at+1)
	}
	return nil
}
