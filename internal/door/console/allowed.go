package console

import (
	"net/http"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
)

func modelsPage(models []string) (view, *form) {
	f := &form{Action: "/models", Submit: "Save the list", Fields: []field{
		{Kind: "lines", Name: "models", Label: "Models that may be used", Help: "One a line, as clients name them. Leave it empty to allow every model of the upstream.",
			Placeholder: "claude-opus-5\nclaude-sonnet-5", Value: strings.Join(models, "\n"), Mono: true, Optional: true},
	}}
	return view{Title: "Allowed models", Lead: "A request for another model is refused with a message that names these.", Body: f}, f
}

func (c *Console) models(v *visit) error {
	if err := access.Check(v.who, caller.ManageOrganization, v.who.Organization); err != nil {
		return err
	}
	o, err := c.cfg.Organizations.Get(v.r.Context(), v.who, v.who.Organization)
	if err != nil {
		return err
	}
	w, _ := modelsPage(o.Settings.Models)
	w.Notice = v.notice()
	return v.show(http.StatusOK, "form", w)
}

func (c *Console) saveModels(v *visit) error {
	typed, err := v.readForm()
	if err != nil {
		return err
	}
	list := strings.FieldsFunc(typed.Get("models"), func(r rune) bool { return r == '\n' || r == '\r' || r == ',' })
	if err := c.cfg.Organizations.SetModels(v.r.Context(), v.who, v.who.Organization, list); err != nil {
		w, f := modelsPage(nil)
		return v.again("form", w, f, typed, err)
	}
	return v.redirect("/models?done=models")
}
