package console

import (
	"net/url"
	"slices"
	"strconv"

	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

const pageRows = 50

// paging is where a list that is cut into pages stands.
type paging struct{ Newer, Older string }

// cut is the page of all that the query asks for.
func cut[T any](all []T, at *url.URL) ([]T, paging) {
	last := max(0, (len(all)-1)/pageRows)
	page, err := strconv.Atoi(at.Query().Get("page"))
	if err != nil {
		page = 0
	}
	page = min(max(page, 0), last)
	var l paging
	if page > 0 {
		l.Newer = with(at, "page", strconv.Itoa(page-1))
	}
	if page < last {
		l.Older = with(at, "page", strconv.Itoa(page+1))
	}
	return all[page*pageRows : min(len(all), (page+1)*pageRows)], l
}

// keyset is where a list stands that is paged by the ids of its first and last row.
func keyset(at *url.URL, first, last string, more bool) paging {
	q := at.Query()
	after, before := q.Get("after"), q.Get("before")
	bare := *at
	q.Del("after")
	q.Del("before")
	bare.RawQuery = q.Encode()
	var l paging
	if first != "" && (after != "" || (before != "" && more)) {
		l.Newer = with(&bare, "before", first)
	}
	if last != "" && (before != "" || more) {
		l.Older = with(&bare, "after", last)
	}
	return l
}

// search is the field that looks for text in a list. It keeps what else the
// address says.
type search struct {
	Action, Value, Placeholder, Label string
	Keeps                             []hidden
}

// sought is the search of a page, and what is looked for.
func sought(at *url.URL, label, placeholder string) (search, string) {
	s := search{Action: at.Path, Label: label, Placeholder: placeholder, Value: strings.TrimSpace(at.Query().Get("q"))}
	if len(s.Value) > 200 {
		s.Value = strings.ToValidUTF8(s.Value[:200], "")
	}
	for name, values := range at.Query() {
		if !slices.Contains([]string{"q", "after", "before", "page", "done"}, name) && values[0] != "" {
			s.Keeps = append(s.Keeps, hidden{name, values[0]})
		}
	}
	slices.SortFunc(s.Keeps, func(a, b hidden) int { return strings.Compare(a.Name, b.Name) })
	return s, s.Value
}

// with is an address with one parameter changed; an empty value removes it.
func with(at *url.URL, name, value string) string {
	query := at.Query()
	query.Del("done")
	query.Del("sent")
	query.Del(name)
	if value != "" {
		query.Set(name, value)
	}
	if len(query) == 0 {
		return at.Path
	}
	return at.Path + "?" + query.Encode()
}

// tab is one choice of a filter.
type tab struct {
	To, Text string
	Current  bool
}

// tabs are the choices of a filter that is one parameter of the address. The
// first choice is what holds without it. Pairs are value and text.
func tabs(at *url.URL, name string, pairs ...[2]string) ([]tab, string) {
	chosen := pairs[0][0]
	for _, p := range pairs {
		if at.Query().Get(name) == p[0] {
			chosen = p[0]
		}
	}
	bare := *at
	query := at.Query()
	for _, paging := range []string{"page", "after", "before"} {
		query.Del(paging)
	}
	bare.RawQuery = query.Encode()
	var all []tab
	for i, p := range pairs {
		value := p[0]
		if i == 0 {
			value = ""
		}
		all = append(all, tab{with(&bare, name, value), p[1], p[0] == chosen})
	}
	return all, chosen
}

// options are the choices of a select.
func options(pairs [][2]string, chosen string) []option {
	var all []option
	for _, p := range pairs {
		all = append(all, option{Value: p[0], Text: p[1], Chosen: p[0] == chosen})
	}
	return all
}

// sorting is the head of a column that a list can be sorted by.
type sorting struct {
	To      string
	Current bool
}

// sortings are such heads by the value of the parameter sort.
func sortings(at *url.URL, chosen string, orders ...string) map[string]sorting {
	bare := *at
	query := at.Query()
	for _, paging := range []string{"page", "after", "before"} {
		query.Del(paging)
	}
	bare.RawQuery = query.Encode()
	all := map[string]sorting{}
	for _, o := range orders {
		all[o] = sorting{with(&bare, "sort", o), o == chosen}
	}
	return all
}

// carried are the parameters of the address that a search form keeps.
func carried(at *url.URL, names ...string) []hidden {
	var all []hidden
	for _, name := range names {
		if value := at.Query().Get(name); value != "" {
			all = append(all, hidden{name, value})
		}
	}
	return all
}

// turnOf leads from a page of a list to its neighbours.
func turnOf[T any](at *url.URL, page []T, more bool, key func(T) string) paging {
	if len(page) == 0 {
		return paging{}
	}
	return keyset(at, key(page[0]), key(page[len(page)-1]), more)
}

func noPage() error { return fault.New(fault.NotFound, "there is nothing at this path") }

// confirm is a page that names what an act does before it is done.
type confirm struct {
	Effects []string
	Action  string
	Submit  string
	Danger  bool
	Cancel  string
}

// once is a page that shows a secret for the only time.
type once struct {
	Label string
	Value string
	Notes []string
	Next  link
}

// notices are what a page says after an act led to it.
var notices = map[string]string{
	"checked":     "The lines were checked again.",
	"resent":      "The invitation was sent again.",
	"again":       "They were invited again, with a new link.",
	"uninvited":   "The invitation was withdrawn. Its link does not work any more.",
	"link-made":   "The link works from now on.",
	"link-off":    "The link does not work any more.",
	"link-new":    "The link has a new address. The old one does not work any more.",
	"approved":    "They were invited.",
	"refused":     "The proposal was declined.",
	"proposed":    "The proposal was made. Somebody who may invite decides on it.",
	"suspended":   "The member was suspended. Their sessions and keys are refused from now on.",
	"deactivate":  "The key was deactivated.",
	"activate":    "The key works again.",
	"archive":     "The key was archived.",
	"ended":       "The session was ended.",
	"all_ended":   "Every session of theirs was ended.",
	"renamed":     "The key was renamed.",
	"workspace":   "The workspace was made. Add its members now.",
	"saved":       "The change was saved. It holds for the next request.",
	"archived":    "It was archived. Its keys are refused from now on.",
	"joined":      "They were added.",
	"role":        "The role was changed. It holds for the next request.",
	"left":        "They were removed. Their keys here are refused from now on.",
	"service":     "The service account was made. Add it to a workspace, or make its first key.",
	"connected":   "The upstream was connected.",
	"moved":       "The order was changed.",
	"unplugged":   "The upstream was removed.",
	"clouded":     "It was saved. The set-up at the cloud has your names in it now.",
	"unclouded":   "The way straight to the cloud was ended.",
	"grouped":     "They are in the group.",
	"ungrouped":   "They are out of the group.",
	"reinstated":  "The member was reinstated. Their sessions and keys work again.",
	"removed":     "The member was removed. Everything of theirs is refused from now on.",
	"offered":     "The offer was made. It stands for seven days.",
	"withdrawn":   "The offer was withdrawn.",
	"kept":        "The link that went to the new address does not work any more.",
	"declined":    "You declined. Nothing has changed.",
	"owner":       "You are the primary owner now.",
	"created":     "It is made.",
	"deleted":     "It is gone, and so is everything that it gave.",
	"plan":        "Plan and seats were changed.",
	"models":      "The list was saved. It holds for the next request.",
	"retried":     "The letter waits to be sent again.",
	"password":    "Your password was changed. Your other browsers were signed out.",
	"name":        "Your name was changed.",
	"email-sent":  "A link went to the new address. Open it in a browser in which you are signed in, within a day.",
	"email":       "Your address was changed. You sign in with the new one from now on.",
	"no-password": "Your password was removed.",
	"passkey":     "The passkey was added.",
	"no-passkey":  "The passkey was removed.",
	"app":         "Your authenticator app is in use.",
	"no-app":      "Your authenticator app is not in use any more.",
	"out":         "The browser was signed out.",
}

func (v *visit) notice() string { return notices[v.r.URL.Query().Get("done")] }
