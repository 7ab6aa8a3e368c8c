package console

import (
	"net/http"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/apikey"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
)

var keyRoutes = []route{
	get("/keys", member, (*Console).keyList),
	post("/keys", member, (*Console).createKey),
	get("/keys/new", member, (*Console).newKey),
	get("/keys/{id}", member, (*Console).keyPage),
	post("/keys/{id}", member, (*Console).renameKey),
	get("/keys/{id}/rotate", member, (*Console).rotateForm),
	post("/keys/{id}/rotate", member, (*Console).rotate),
	get("/keys/{id}/{act}", member, (*Console).keyActForm),
	post("/keys/{id}/{act}", member, (*Console).keyAct),
}

type keyRow struct {
	ID, Name, Hint, Kind, Whose, Status, Workspace, WorkspaceID string
	Admin                                                       bool
	Made, Used, Expires                                         moment
}

func (c *Console) keyRow(k apikey.Key) keyRow {
	row := keyRow{ID: string(k.ID), Name: short(k.Name), Hint: k.Hint, Kind: sentenceKind(k), Whose: short(k.Owner), Status: title(string(k.At(c.cfg.Now()))),
		Workspace: short(k.WorkspaceName), WorkspaceID: string(k.Workspace), Admin: k.Kind == apikey.ForAdmin,
		Made: c.moment(k.CreatedAt), Used: c.moment(k.UsedAt), Expires: c.moment(k.ExpiresAt)}
	if row.Workspace == "" && !row.Admin {
		row.Workspace = "Default"
	}
	return row
}

func sentenceKind(k apikey.Key) string {
	switch {
	case k.Kind == apikey.ForAdmin:
		return "Admin API"
	case k.Kind == apikey.ForClaudeCode:
		return "Claude Code"
	case k.ServiceAccount != "":
		return "Service account"
	}
	return "Models"
}

// keyFilter is what the address asks for. all says whether the visitor may see
// everybody's.
func keyFilter(v *visit, all bool) apikey.Filter {
	q := v.r.URL.Query()
	f := apikey.Filter{Member: id.Member(q.Get("member")), ServiceAccount: id.ServiceAccount(q.Get("service_account")), CreatedBy: q.Get("created_by"),
		After: id.APIKey(q.Get("after")), Before: id.APIKey(q.Get("before")), Limit: pageRows}
	if f.After != "" {
		f.Before = ""
	}
	if q.Has("workspace") {
		w := id.Workspace(q.Get("workspace"))
		f.Workspace = &w
	}
	if q.Get("whose") == "mine" || (!all && f.Workspace == nil) {
		f.Member = v.who.Member
	}
	return f
}

func (c *Console) keyList(v *visit) error {
	everybodys := v.who.Rights.Has(caller.AllKeys)
	filters, status := tabs(v.r.URL, "status", [2]string{"", "All"}, [2]string{"active", "Active"}, [2]string{"inactive", "Inactive"},
		[2]string{"expired", "Expired"}, [2]string{"archived", "Archived"})
	kinds, kind := tabs(v.r.URL, "kind", [2]string{"", "Every kind"}, [2]string{"api", "Models"}, [2]string{"claude_code", "Claude Code"}, [2]string{"admin", "Admin API"})
	f := keyFilter(v, everybodys)
	f.Status, f.Kind = apikey.Status(status), apikey.Kind(kind)
	var whose []tab
	if everybodys && f.ServiceAccount == "" && v.r.URL.Query().Get("member") == "" {
		whose, _ = tabs(v.r.URL, "whose", [2]string{"", "Everybody's"}, [2]string{"mine", "Mine"})
	}
	find, q := sought(v.r.URL, "Search by name or hint", "Name or hint")
	f.Search = q
	keys, more, err := c.cfg.Keys.List(v.r.Context(), v.who, v.who.Organization, f)
	if err != nil {
		return err
	}
	var rows []keyRow
	for _, k := range keys {
		rows = append(rows, c.keyRow(k))
	}
	var l paging
	if len(keys) > 0 {
		l = keyset(v.r.URL, string(keys[0].ID), string(keys[len(keys)-1].ID), more)
	}
	if !everybodys {
		kinds = nil
	}
	narrowed := f.ServiceAccount != "" || v.r.URL.Query().Get("member") != "" || f.Workspace != nil || f.CreatedBy != ""
	w := view{Title: "API keys", Lead: "For scripts and tools that only know keys. A key can do no more than its owner, at any time.", Notice: v.notice(),
		Body: struct {
			Rows                  []keyRow
			Filters, Kinds, Whose []tab
			Search                search
			Filtered, Narrowed    bool
			Everybodys            bool
			CanMake               bool
			Paging                paging
		}{rows, filters, kinds, whose, find, status != "" || kind != "" || q != "" || narrowed || f.After != "" || f.Before != "", narrowed, everybodys || f.Workspace != nil, canMakeKeys(v.who), l}}
	if canMakeKeys(v.who) {
		w.Action = &link{"/keys/new", "Create a key"}
	}
	return v.show(http.StatusOK, "keys", w)
}

func canMakeKeys(who caller.Caller) bool {
	return who.Rights.Has(caller.OwnKeys) || who.Rights.Has(caller.OwnClaudeCodeKeys) || who.Rights.Has(caller.ManageAdminKeys)
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

func (v *visit) namedKey() (apikey.Key, error) {
	return v.c.cfg.Keys.Get(v.r.Context(), v.who, v.who.Organization, id.APIKey(v.r.PathValue("id")))
}

func (c *Console) keyActForm(v *visit) error {
	act, ok := keyActs[v.r.PathValue("act")]
	if !ok {
		return fault.New(fault.NotFound, "there is nothing at this path")
	}
	key, err := v.namedKey()
	if err != nil {
		return err
	}
	used := "It has not been used yet."
	if !key.UsedAt.IsZero() {
		used = "It was last used " + c.moment(key.UsedAt).Relative + "."
		if key.UsedAddress != "" {
			used = "It was last used " + c.moment(key.UsedAt).Relative + ", from " + key.UsedAddress + "."
		}
	}
	return v.show(http.StatusOK, "confirm", view{Title: act.verb + " the key “" + key.Name + "”?", Lead: key.Hint, Body: confirm{
		Effects: append([]string{used}, act.effects...), Action: v.r.URL.Path, Submit: act.verb + " the key", Danger: act.danger, Cancel: "/keys/" + string(key.ID)}})
}

func (c *Console) keyAct(v *visit) error {
	name := v.r.PathValue("act")
	act, ok := keyActs[name]
	if !ok {
		return fault.New(fault.NotFound, "there is nothing at this path")
	}
	to, key := act.to, id.APIKey(v.r.PathValue("id"))
	if _, err := c.cfg.Keys.Update(v.r.Context(), v.who, v.who.Organization, key, apikey.Change{Status: &to}); err != nil {
		return err
	}
	return v.redirect("/keys/" + string(key) + "?done=" + name)
}

func (c *Console) renameKey(v *visit) error {
	typed, err := v.readForm()
	if err != nil {
		return err
	}
	name := typed.Get("name")
	key, err := c.cfg.Keys.Update(v.r.Context(), v.who, v.who.Organization, id.APIKey(v.r.PathValue("id")), apikey.Change{Name: &name, Was: apikey.Status(typed.Get("was"))})
	if err != nil {
		found, problem := v.namedKey()
		if problem != nil {
			return problem
		}
		w, f := c.oneKey(v, found)
		return v.again("key", w, f, typed, err)
	}
	return v.redirect("/keys/" + string(key.ID) + "?done=renamed")
}

// proof is what shows that something stopped: the last request that was let in,
// and the first that was not.
type proof struct {
	Ended, Accepted, Refused moment
	Why                      string
}

func (c *Console) proof(ended, accepted, refused time.Time, why string) *proof {
	if !refused.IsZero() && refused.Before(accepted) {
		refused = time.Time{} // it has worked again since
	}
	return &proof{Ended: c.moment(ended), Accepted: c.moment(accepted), Refused: c.moment(refused), Why: why}
}
