package console

import (
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/gatehouse-dev/gatehouse/internal/door/envelope"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

// form is a form as the template draws it.
type form struct {
	Action string
	Hidden []hidden
	Fields []field
	Submit string
	Cancel string // where to, if not
	Danger bool   // what it does cannot be undone
}

type hidden struct{ Name, Value string }

// field is one input. Kind is an input's type, or "select", or "lines" for text
// of many lines, or "radio" for one of some, or "checks" for any of some.
type field struct {
	Kind         string
	Name         string
	Label        string
	Help         string
	Value        string
	Problem      string
	Autocomplete string
	Placeholder  string
	Optional     bool // and says so
	Depends      bool // needed or not, depending on other fields; its help says when
	Focus        bool
	Fixed        bool // shown, not to be changed; what is sent of it is not read
	Mono         bool
	Length       int // at most so many characters
	Rows         int // of lines; 10 if 0
	Options      []option
}

type option struct {
	Value, Text, Help string
	Area              string // a heading before it, where it is another than before
	Chosen            bool
}

// problem sums up at the top of a page what is wrong with a form.
type problem struct {
	Message string
	Hint    string
	Field   string // the input at fault, to jump to; may be empty
}

// fill puts back what was typed. Secrets are not sent back.
func (f *form) fill(typed url.Values) {
	for i := range f.Fields {
		x := &f.Fields[i]
		if x.Kind == "checks" { // nothing ticked is nothing sent
			for o := range x.Options {
				x.Options[o].Chosen = slices.Contains(typed[x.Name], x.Options[o].Value)
			}
			continue
		}
		if !typed.Has(x.Name) || x.Kind == "password" || x.Fixed {
			continue
		}
		x.Value = typed.Get(x.Name)
		for o := range x.Options {
			x.Options[o].Chosen = x.Options[o].Value == x.Value
		}
	}
}

// blame notes what is wrong and where, if the visitor can mend it in the form.
// It returns the status to answer with.
func (f *form) blame(err error) (*problem, int, bool) {
	e, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return nil, 0, false
	}
	switch e.Kind {
	case fault.Invalid, fault.Conflict, fault.RateLimited, fault.Unauthenticated, fault.NotFound, fault.TooLarge:
	default:
		return nil, 0, false
	}
	p := &problem{Message: sentence(e.Message), Hint: sentence(e.Hint)}
	for i := range f.Fields {
		f.Fields[i].Focus = false
		if f.Fields[i].Name == e.Field {
			p.Field, f.Fields[i].Problem = e.Field, p.Message
		}
	}
	return p, envelope.Status(err), true
}

// again shows a form once more with what is wrong with it; an error that no
// typing mends is returned.
func (v *visit) again(name string, w view, f *form, typed url.Values, err error) error {
	f.fill(typed)
	p, status, ok := f.blame(err)
	if !ok {
		return err
	}
	v.retryAfter(err)
	w.Problem = p
	return v.show(status, name, w)
}

// anew is again for a page that has to be made anew for it.
func (v *visit) anew(name string, page func() (view, *form, error), typed url.Values, wrong error) error {
	w, f, err := page()
	if err != nil {
		return err
	}
	return v.again(name, w, f, typed, wrong)
}

// fresh shows a form for the first time.
func (v *visit) fresh(name string, page func() (view, *form, error)) error {
	w, _, err := page()
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, name, w)
}
