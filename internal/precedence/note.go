package precedence

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/claudecode"
	"github.com/gatehouse-dev/gatehouse/internal/helper"
)

// Note is something that a person should know, beside the choice itself.
type Note struct {
	Code string // stable
	Says string
	Mend string // a command
}

// The codes of notes.
const (
	Unreadable     = "unreadable"      // a settings file is left out
	FromProject    = "from_project"    // what came with the folder has a say
	PassedOver     = "passed_over"     // a profile is there and not used
	NotEvaluated   = "not_evaluated"   // something may decide otherwise
	TwoCredentials = "two_credentials" // two travel at once
	Redirected     = "redirected"      // a profile's token goes to another server
	SentAlong      = "sent_along"      // a credential of one is sent to another
	RejectedKey    = "rejected_key"    // in a terminal the key is not used
	LeftOver       = "left_over"       // a provider without a credential is switched on
)

const withoutProject = "claude --setting-sources user"

// fromProject notes what came with the folder and has a say.
func (r *reader) fromProject() {
	asked := ""
	if !r.state.Projects[r.Folder].Trusted {
		asked = "; you do not trust the folder yet: in a terminal Claude Code asks first, \"claude -p\" does not"
	}
	note := func(what string, v Value) {
		r.facts.Notes = append(r.facts.Notes, Note{FromProject, what + " in " + v.File + " came with this folder" + asked, withoutProject})
	}
	names := map[string]bool{}
	for _, l := range r.layers {
		for name := range l.env {
			names[name] = names[name] || routes(name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if v := r.value(name); names[name] && v.FromProject() {
			note(name, v)
		}
	}
	if line, _ := setting(r.layers, string(helper.APIKey)); line.FromProject() {
		note(string(helper.APIKey), line)
	}
}

// notes are what should be known about a choice.
func (f Facts) notes(c Choice) []Note {
	list := append([]Note{}, f.Notes...)
	add := func(code, mend, says string) { list = append(list, Note{code, says, mend}) }
	_, provider := c.Winner.provider()
	if c.Two() {
		add(TwoCredentials, "", "two credentials are sent at once: Authorization from "+c.Authorization.Title()+" and x-api-key from "+c.Key.Title()+
			"; which of them counts is up to the server, and a Gatehouse refuses the request")
	}
	if c.Winner == Profile && f.Base.Text != "" && f.ProfileBase != "" && !sameOrigin(f.Base.Text, f.ProfileBase) {
		add(Redirected, "unset "+claudecode.BaseURL, claudecode.BaseURL+" in "+f.Base.From()+" sends the profile's token to another server than the one that it was issued by")
	}
	for _, n := range []Name{c.Authorization, c.Key} {
		if provider && slices.Contains([]Name{AuthToken, APIKey, Helper}, n) && (n != c.Authorization || !f.Unsigned[c.Winner]) {
			mend := "unset " + n.Title()
			if n == Helper {
				mend = "claude doctor"
			}
			add(SentAlong, mend, "what "+n.Title()+" holds is sent to "+c.Winner.Title()+" too")
		}
	}
	if provider && !f.has(c.Winner) && c.Authorization == "" && !f.Unsigned[c.Winner] {
		p, _ := c.Winner.provider()
		add(LeftOver, "unset "+p.Switch, p.Switch+" in "+f.SwitchedOn[c.Winner].From()+" is on, and no credential for "+p.Name+" was found")
	}
	if f.Rejected && (c.Winner == APIKey || c.Key == APIKey) {
		add(RejectedKey, "unset "+claudecode.APIKey, "in a terminal the key of "+claudecode.APIKey+" is not used, because you have said no to it; \"claude -p\" uses it")
	}
	return list
}

func sameOrigin(a, b string) bool {
	x, err := url.Parse(a)
	y, err2 := url.Parse(b)
	return err == nil && err2 == nil && strings.EqualFold(x.Scheme, y.Scheme) && strings.EqualFold(x.Host, y.Host)
}
