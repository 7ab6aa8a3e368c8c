package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestAGroupNamesModels makes a group with models in the form and changes them; what is
// wrong is said beside the field.
func TestAGroupNamesModels(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	v := w.as(w.owner)
	made := v.post("/groups", url.Values{"name": {"Interns"}, "models": {"claude-haiku-4-5\r\n\r\n claude-sonnet-5 \r\nclaude-haiku-4-5"}})
	at, _, found := strings.Cut(made.location, "?done=created")
	if !found {
		t.Fatalf("making it: %d\n%s", made.status, made.body)
	}
	if page := v.get(at); !strings.Contains(page.body, "<code>claude-haiku-4-5</code>, <code>claude-sonnet-5</code></dd>") {
		t.Errorf("the page says\n%s", page.body)
	}
	if form := v.get(at + "/edit"); !strings.Contains(form.body, "claude-haiku-4-5\nclaude-sonnet-5</textarea>") {
		t.Errorf("the form holds\n%s", form.body)
	}
	long := v.post(at, url.Values{"name": {"Interns"}, "version": {"1"}, "models": {strings.Repeat("m", 201)}})
	if long.status != http.StatusBadRequest || !strings.Contains(long.body, "at most 200 characters") || !strings.Contains(long.body, strings.Repeat("m", 201)) {
		t.Errorf("a name that is too long: %d\n%s", long.status, long.body)
	}
	if saved := v.post(at, url.Values{"name": {"Interns"}, "version": {"1"}, "models": {""}}); saved.location != at+"?done=saved" {
		t.Errorf("saving: %d\n%s", saved.status, saved.body)
	}
	if page := v.get(at); strings.Contains(page.body, "claude-haiku-4-5") {
		t.Errorf("after that the page says\n%s", page.body)
	}
}
