package console

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/apikey"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
)

func (c *Console) keyPage(v *visit) error {
	key, err := v.namedKey()
	if err != nil {
		return err
	}
	w, _ := c.oneKey(v, key)
	return v.show(http.StatusOK, "key", w)
}

type keyView struct {
	keyRow
	Owner       link // where it leads to, if the visitor may go there
	CreatedBy   string
	UsedAddress string
	Scopes      []string
	ReplacedBy  string
	Proof       *proof
	Acts        []string // of keyActs
	CanRotate   bool
	Record      bool
	Form        *form
}

// oneKey is the page of a key, with the form that renames it.
func (c *Console) oneKey(v *visit, k apikey.Key) (view, *form) {
	page := "/keys/" + string(k.ID)
	status := k.At(c.cfg.Now())
	b := keyView{keyRow: c.keyRow(k), CreatedBy: k.CreatedBy, UsedAddress: k.UsedAddress, ReplacedBy: string(k.ReplacedBy), Record: v.who.Rights.Has(caller.ReadActivity)}
	b.Owner = link{Text: k.Owner}
	switch {
	case k.Member != "" && v.who.Rights.Has(caller.ReadMembers):
		b.Owner.To = "/members/" + string(k.Member)
	case k.ServiceAccount != "" && v.who.Rights.Has(caller.ManageServiceAccounts):
		b.Owner.To = "/service-accounts/" + string(k.ServiceAccount)
	}
	for _, r := range caller.EveryRight() {
		if k.Scopes.Has(r) {
			b.Scopes = append(b.Scopes, r.String())
		}
	}
	switch status {
	case apikey.Active:
		b.Acts = []string{"deactivate", "archive"}
		b.CanRotate = k.ReplacedBy == "" && (k.Member == v.who.Member || k.ServiceAccount != "" || (k.Kind == apikey.ForAdmin && v.who.Rights.Has(caller.ManageAdminKeys)))
	case apikey.Inactive:
		b.Acts = []string{"activate", "archive"}
	case apikey.Expired:
		b.Acts = []string{"archive"}
	}
	ended := k.EndedAt
	if status == apikey.Expired {
		ended = k.ExpiresAt
	}
	if status != apikey.Active || !k.RefusedAt.IsZero() {
		b.Proof = c.proof(ended, k.UsedAt, k.RefusedAt, "")
	}
	f := &form{Action: page, Submit: "Rename", Hidden: []hidden{{"was", string(status)}}, Fields: []field{
		{Kind: "text", Name: "name", Label: "Name", Value: k.Name, Autocomplete: "off", Length: 200}}}
	b.Form = f
	return view{Title: k.Name, Lead: k.Hint, Notice: v.notice(), Body: b}, f
}

// lives are the lives a new key can have.
var lives = []struct {
	value, text string
	life        time.Duration // 0: for ever, or until a day that is typed
}{
	{"3h", "In 3 hours", 3 * time.Hour}, {"1d", "In 1 day", 24 * time.Hour}, {"7d", "In 7 days", 7 * 24 * time.Hour}, {"30d", "In 30 days", 30 * 24 * time.Hour},
	{"90d", "In 90 days", 90 * 24 * time.Hour}, {"date", "On a day of your choice", 0}, {"never", "Never", 0},
}

// expiryFields ask when a key is to expire, within the organization's policy.
func (c *Console) expiryFields(v *visit) ([]field, error) {
	longest, err := c.cfg.Keys.LongestLife(v.r.Context(), v.who, v.who.Organization)
	if err != nil {
		return nil, err
	}
	expires := field{Kind: "select", Name: "expires", Label: "Expires", Help: "A key that expires by itself cannot be forgotten."}
	if longest > 0 {
		expires.Help = "In your organization a key lives for at most " + count(int(longest/(24*time.Hour)), "day") + "."
	}
	chosen := "30d"
	if longest > 0 && longest < 30*24*time.Hour {
		chosen = "1d"
	}
	for _, l := range lives {
		if longest == 0 || (l.life > 0 && l.life <= longest) || l.value == "date" {
			expires.Options = append(expires.Options, option{Value: l.value, Text: l.text, Chosen: l.value == chosen})
		}
	}
	return []field{expires, {Kind: "date", Name: "day", Label: "Day", Help: "Needed if you choose a day: the key works until it ends, in UTC.", Optional: true}}, nil
}

// expiry is when a key of the chosen life expires; zero: never.
func (c *Console) expiry(chosen, day string) (time.Time, error) {
	now := c.cfg.Now()
	at := slices.IndexFunc(lives, func(l struct {
		value, text string
		life        time.Duration
	}) bool {
		return l.value == chosen
	})
	switch {
	case at < 0:
		return time.Time{}, fault.New(fault.Invalid, "choose when the key expires").At("expires")
	case chosen == "date":
		on, err := time.Parse("2006-01-02", day)
		if err != nil || on.Year() > now.Year()+100 {
			return time.Time{}, fault.New(fault.Invalid, "choose the day on which the key expires").At("day")
		}
		if on = on.AddDate(0, 0, 1); !on.After(now) {
			return time.Time{}, fault.New(fault.Invalid, "this day is over").At("day")
		}
		return on, nil
	case lives[at].life == 0:
		return time.Time{}, nil
	}
	return now.Add(lives[at].life), nil
}

// overlaps are how long an old key can go on working.
var overlaps = []struct{ days, text string }{{"0", "Not at all: stop it now"}, {"1", "1 day"}, {"3", "3 days"}, {"7", "7 days"}}

func (c *Console) rotatePage(v *visit, k apikey.Key) (view, *form, error) {
	overlap := field{Kind: "select", Name: "overlap", Label: "The old key goes on working for", Help: "Time to put the new value wherever the old one is."}
	for _, o := range overlaps {
		overlap.Options = append(overlap.Options, option{Value: o.days, Text: o.text, Chosen: o.days == "1"})
	}
	expiry, err := c.expiryFields(v)
	f := &form{Action: "/keys/" + string(k.ID) + "/rotate", Submit: "Rotate the key", Cancel: "/keys/" + string(k.ID), Fields: append([]field{overlap}, expiry...)}
	return view{Title: "Rotate the key “" + k.Name + "”", Lead: "A new key of the same name, workspace and rights takes its place. Its value is shown once, on the next page.", Body: f}, f, err
}

func (c *Console) rotateForm(v *visit) error {
	key, err := v.namedKey()
	if err != nil {
		return err
	}
	w, _, err := c.rotatePage(v, key)
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "form", w)
}

func (c *Console) rotate(v *visit) error {
	typed, err := v.readForm()
	if err != nil {
		return err
	}
	key, err := v.namedKey()
	if err != nil {
		return err
	}
	expires, failed := c.expiry(typed.Get("expires"), typed.Get("day"))
	days, wrong := strconv.Atoi(typed.Get("overlap"))
	if wrong != nil || days < 0 || days > 7 {
		failed = fault.New(fault.Invalid, "choose how long the old key goes on working").At("overlap")
	}
	if failed == nil {
		next, value, err := c.cfg.Keys.Rotate(v.r.Context(), v.who, v.who.Organization, id.APIKey(key.ID), time.Duration(days)*24*time.Hour, expires)
		if err == nil {
			note := "The old key was stopped."
			if days > 0 {
				note = "The old key goes on working for " + count(days, "day") + "."
			}
			return c.showKey(v, next, value, note)
		}
		failed = err
	}
	w, f, err := c.rotatePage(v, key)
	if err != nil {
		return err
	}
	return v.again("form", w, f, typed, failed)
}
