package console

import (
	"net/url"
	"strconv"
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

// with is an address with one parameter changed; an empty value removes it.
func with(at *url.URL, name, value string) string {
	query := at.Query()
	query.Del("done")
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
	"added":       "The member was added. Make them a sign-in link to let them in.",
	"suspended":   "The member was suspended. Their sessions and keys are refused from now on.",
	"deactivate":  "The key was deactivated.",
	"activate":    "The key works again.",
	"archive":     "The key was archived.",
	"ended":       "The session was ended.",
	"connected":   "The upstream was connected.",
	"removed":     "The upstream was removed.",
	"models":      "The list was saved. It holds for the next request.",
	"password":    "Your password was changed. Your other browsers were signed out.",
	"name":        "Your name was changed.",
	"email-sent":  "A link went to the new address. Open it in a browser in which you are signed in, within a day.",
	"withdrawn":   "The link that went to the new address does not work any more.",
	"email":       "Your address was changed. You sign in with the new one from now on.",
	"no-password": "Your password was removed.",
	"passkey":     "The passkey was added.",
	"no-passkey":  "The passkey was removed.",
	"app":         "Your authenticator app is in use.",
	"no-app":      "Your authenticator app is not in use any more.",
	"out":         "The browser was signed out.",
}

func (v *visit) notice() string { return notices[v.r.URL.Query().Get("done")] }
