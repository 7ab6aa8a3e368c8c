package console

import (
	"net/http"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/apikey"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

var keyRoutes = []route{
	get("/keys", member, (*Console).keyList),
	post("/keys", member, (*Console).createKey),
	get("/keys/new", member, (*Console).newKey),
	get("/keys/{id}/{act}", member, (*Console).keyActForm),
	post("/keys/{id}/{act}", member, (*Console).keyAct),
}

type keyRow struct {
	ID, Name, Hint, Whose, Status string
	Admin                         bool
	Made, Used, Expires           moment
	Acts                          []string // of keyActs
}

func (c *Console) keyRow(k apikey.Key, whose string) keyRow {
	status := k.At(c.cfg.Now())
	row := keyRow{ID: string(k.ID), Name: short(k.Name), Hint: k.Hint, Whose: whose, Status: title(string(status)), Admin: k.Kind == apikey.ForAdmin,
		Made: c.moment(k.CreatedAt), Used: c.moment(k.UsedAt), Expires: c.moment(k.ExpiresAt)}
	switch status {
	case apikey.Active:
		row.Acts = []string{"deactivate", "archive"}
	case apikey.Inactive:
		row.Acts = []string{"activate", "archive"}
	case apikey.Expired:
		row.Acts = []string{"archive"}
	}
	return row
}

func (c *Console) keyList(v *visit) error {
	everybodys := v.who.Rights.Has(caller.AllKeys)
	filters, status := tabs(v.r.URL, "status", [2]string{"", "All"}, [2]string{"active", "Active"}, [2]string{"inactive", "Inactive"},
		[2]string{"expired", "Expired"}, [2]string{"archived", "Archived"})
	f := apikey.Filter{Status: apikey.Status(status), After: id.APIKey(v.r.URL.Query().Get("after")), Limit: pageRows}
	var whose []tab
	if everybodys {
		var chosen string
		whose, chosen = tabs(v.r.URL, "whose", [2]string{"", "Everybody's"}, [2]string{"mine", "Mine"})
		if chosen == "mine" {
			f.Member = v.who.Member
		}
	} else {
		f.Member = v.who.Member
	}
	keys, more, err := c.cfg.Keys.List(v.r.Context(), v.who, v.who.Organization, f)
	if err != nil {
		return err
	}
	var owners []id.Member
	for _, k := range keys {
		owners = append(owners, k.Member)
	}
	names, err := c.names(v, owners)
	if err != nil {
		return err
	}
	var rows []keyRow
	for _, k := range keys {
		rows = append(rows, c.keyRow(k, names[k.Member]))
	}
	var l paging
	if more && len(keys) > 0 {
		l.Older = with(v.r.URL, "after", string(keys[len(keys)-1].ID))
	}
	w := view{Title: "API keys", Lead: "For scripts and tools that only know keys. A key acts for its member, with no more rights than they have.", Notice: v.notice(),
		Body: struct {
			Rows           []keyRow
			Filters, Whose []tab
			Filtered       bool
			Everybodys     bool
			CanMake        bool
			Paging         paging
		}{rows, filters, whose, status != "" || f.After != "", everybodys, v.who.Rights.Has(caller.OwnKeys), l}}
	if v.who.Rights.Has(caller.OwnKeys) {
		w.Action = &link{"/keys/new", "Create a key"}
	}
	return v.show(http.StatusOK, "keys", w)
}

// names are the names of some members by their id, if the visitor may see them.
func (c *Console) names(v *visit, of []id.Member) (map[id.Member]string, error) {
	names := map[id.Member]string{v.who.Member: short(v.who.Name)}
	if !v.who.Rights.Has(caller.ReadMembers) {
		return names, nil
	}
	for _, m := range of {
		if _, known := names[m]; known || m == "" {
			continue
		}
		found, err := c.cfg.Organizations.Member(v.r.Context(), v.who, v.who.Organization, m)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return nil, err
		}
		names[m] = short(found.Name)
	}
	return names, nil
}

// lives are the lives a new key can have.
var lives = []struct {
	value, text string
	life        time.Duration // 0: for ever
}{
	{"1d", "In 1 day", 24 * time.Hour}, {"7d", "In 7 days", 7 * 24 * time.Hour}, {"30d", "In 30 days", 30 * 24 * time.Hour},
	{"90d", "In 90 days", 90 * 24 * time.Hour}, {"never", "Never", 0},
}

func newKeyPage(who caller.Caller) (view, *form) {
	expires := field{Kind: "select", Name: "expires", Label: "Expires", Help: "A key that expires by itself cannot be forgotten."}
	for _, l := range lives {
		expires.Options = append(expires.Options, option{Value: l.value, Text: l.text, Chosen: l.value == "30d"})
	}
	f := &form{Action: "/keys", Submit: "Create the key", Cancel: "/keys", Fields: []field{
		{Kind: "text", Name: "name", Label: "Name", Help: "What it is for, and where it will be.", Autocomplete: "off", Placeholder: "nightly tests on build-3", Length: 200, Focus: true},
		expires,
	}}
	if who.Rights.Has(caller.AllKeys) {
		f.Fields = append(f.Fields, field{Kind: "radio", Name: "kind", Label: "Opens", Options: []option{
			{Value: string(apikey.ForModels), Text: "Models", Help: "Your own key for the model API.", Chosen: true},
			{Value: string(apikey.ForAdmin), Text: "The Admin API", Help: "Runs the organization: members, keys, limits. It belongs to nobody and opens no model."},
		}})
	}
	return view{Title: "Create a key", Lead: "Its value is shown once, on the next page.", Body: f}, f
}

func (c *Console) newKey(v *visit) error {
	if err := access.Check(v.who, caller.OwnKeys, v.who.Organization); err != nil {
		return err
	}
	w, _ := newKeyPage(v.who)
	return v.show(http.StatusOK, "form", w)
}

func (c *Console) expiry(choice string) (time.Time, error) {
	for _, l := range lives {
		if l.value == choice && l.life > 0 {
			return c.cfg.Now().Add(l.life), nil
		}
		if l.value == choice {
			return time.Time{}, nil
		}
	}
	return time.Time{}, fault.New(fault.Invalid, "choose when the key expires").At("expires")
}

func (c *Console) createKey(v *visit) error {
	typed, err := v.readForm()
	if err != nil {
		return err
	}
	expires, err := c.expiry(typed.Get("expires"))
	var key apikey.Key
	var value secret.Text
	if err == nil {
		switch apikey.Kind(typed.Get("kind")) {
		case apikey.ForModels, "":
			key, value, err = c.cfg.Keys.Create(v.r.Context(), v.who, typed.Get("name"), expires)
		case apikey.ForAdmin:
			key, value, err = c.cfg.Keys.CreateAdmin(v.r.Context(), v.who, v.who.Organization, typed.Get("name"), expires)
		default:
			err = fault.New(fault.Invalid, "a key opens models or the Admin API").At("kind")
		}
	}
	if err != nil {
		w, f := newKeyPage(v.who)
		return v.again("form", w, f, typed, err)
	}
	notes := []string{"It is shown this once; only its fingerprint is kept here."}
	if !key.ExpiresAt.IsZero() {
		notes = append(notes, "It expires "+c.moment(key.ExpiresAt).Relative+", on "+c.moment(key.ExpiresAt).Exact+".")
	}
	return v.show(http.StatusOK, "once", view{Title: "The key “" + key.Name + "”", Body: once{Label: "Value", Value: value.Reveal(),
		Notes: notes, Next: link{"/keys", "I have stored it"}}})
}

// keyActs are what can be done to a key.
var keyActs = map[string]struct {
	to      apikey.Status
	verb    string
	effects []string
	danger  bool
}{
	"deactivate": {apikey.Inactive, "Deactivate", []string{"Whatever uses it is refused within a second, and answers on their way to it are ended.", "It can be activated again."}, true},
	"activate":   {apikey.Active, "Activate", []string{"Whatever holds its value gets in again."}, false},
	"archive":    {apikey.Archived, "Archive", []string{"Whatever uses it is refused within a second, for good: an archived key cannot be used again.", "It stays in the list and in the record."}, true},
}

func (c *Console) keyActForm(v *visit) error {
	act, ok := keyActs[v.r.PathValue("act")]
	if !ok {
		return fault.New(fault.NotFound, "there is nothing at this path")
	}
	key, err := c.cfg.Keys.Get(v.r.Context(), v.who, v.who.Organization, id.APIKey(v.r.PathValue("id")))
	if err != nil {
		return err
	}
	used := "It has not been used yet."
	if !key.UsedAt.IsZero() {
		used = "It was last used " + c.moment(key.UsedAt).Relative + "."
	}
	return v.show(http.StatusOK, "confirm", view{Title: act.verb + " the key “" + key.Name + "”?", Lead: key.Hint, Body: confirm{
		Effects: append([]string{used}, act.effects...), Action: v.r.URL.Path, Submit: act.verb + " the key", Danger: act.danger, Cancel: "/keys"}})
}

func (c *Console) keyAct(v *visit) error {
	name := v.r.PathValue("act")
	act, ok := keyActs[name]
	if !ok {
		return fault.New(fault.NotFound, "there is nothing at this path")
	}
	to := act.to
	if _, err := c.cfg.Keys.Update(v.r.Context(), v.who, v.who.Organization, id.APIKey(v.r.PathValue("id")), apikey.Change{Status: &to}); err != nil {
		return err
	}
	return v.redirect("/keys?done=" + name)
}
