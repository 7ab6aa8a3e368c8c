package precedence

import (
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/claudecode"
	"github.com/gatehouse-dev/gatehouse/internal/source"
)

// State is how a source stands.
type State string

// The states.
const (
	Wins   State = "wins"
	Sent   State = "sent" // beside the winner
	Loses  State = "loses"
	Absent State = "absent"
)

// Candidate is one source, as a person is told of it.
type Candidate struct {
	Name     Name
	State    State
	Where    string // if it was found
	On       string // where a provider is switched on
	Until    time.Time
	Problem  string
	Identity string
	Payer    string
	Why      string // it lost, is sent too, or counts as absent
}

// Explanation is the whole evaluation.
type Explanation struct {
	Choice     Choice
	Candidates []Candidate // every source, the highest first
	Notes      []Note
}

// Winner is the candidate that wins, if one does.
func (e Explanation) Winner() (Candidate, bool) {
	for _, c := range e.Candidates {
		if c.State == Wins {
			return c, true
		}
	}
	return Candidate{}, false
}

// Line is the whole answer in one line: identity · source · who pays · endpoint.
// It is "" if nobody is signed in.
func (e Explanation) Line() string {
	w, won := e.Winner()
	if !won {
		return ""
	}
	who, from, payer := w.Identity, w.Name.Title(), w.Payer
	if who == "" {
		who = "nobody is named"
	}
	if w.Where != "" {
		from += " in " + w.Where
	}
	if payer == "" {
		payer = "nobody knows who pays"
	}
	return who + " · " + from + " · " + payer + " · " + source.Place(e.Choice.Endpoint)
}

// Rival is what Claude Code uses instead of a source that is meant, or beside it.
type Rival struct {
	Name  string // one word: of a variable or setting, or else of the source
	Title string // for a person
	From  string // as Value.From
}

// Rivals are those of a source, the strongest first: what is asked before it, and
// if it is there at all, what wins or is sent in its place.
func (e Explanation) Rivals(n Name) []Rival {
	var list []Rival
	before, there := true, false
	for _, c := range e.Candidates {
		if c.Name == n {
			before, there = false, c.State != Absent
			continue
		}
		if before && c.State != Absent || there && (c.State == Wins || c.State == Sent) {
			list = append(list, c.rival())
		}
	}
	return list
}

func (c Candidate) rival() Rival {
	if p, provider := c.Name.provider(); provider {
		return Rival{p.Switch, p.Switch, c.On}
	}
	r := Rival{c.Name.Title(), c.Name.Title(), c.Where}
	if strings.Contains(r.Name, " ") {
		r.Name = string(c.Name)
	}
	return r
}

// Explain decides, and says why.
func Explain(f Facts) Explanation {
	c := Decide(f)
	e := Explanation{Choice: c, Notes: f.notes(c)}
	for _, n := range Names() {
		e.Candidates = append(e.Candidates, f.candidate(n, c))
	}
	return e
}

func (f Facts) candidate(n Name, c Choice) Candidate {
	src, found := f.Found[n]
	on := f.SwitchedOn[n]
	k := Candidate{Name: n, State: Loses, Where: src.Where, On: on.where(), Until: src.Until, Problem: src.Problem, Identity: src.Identity, Payer: src.Payer}
	p, provider := n.provider()
	switch {
	case n == c.Winner:
		k.State = Wins
		if provider {
			k.Why = p.Switch + " in " + on.From() + " is on"
			f.unsigned(&k, c)
		}
	case provider && on.Text == "":
		return Candidate{Name: n, State: Absent, Why: p.Switch + " is not on"}
	case provider:
		k.Why = c.Winner.Title() + f.reason(n, c)
	case !found:
		return Candidate{Name: n, State: Absent, Why: f.absent(n)}
	case n == c.Authorization:
		k.State, k.Why = Sent, "in the Authorization header"
	case n == c.Key:
		k.State, k.Why = Sent, "in the x-api-key header"
	default:
		k.Why = c.Winner.Title() + f.reason(n, c)
	}
	return k
}

// unsigned completes a provider that is sent another credential than its own.
func (f Facts) unsigned(k *Candidate, c Choice) {
	if k.Payer == "" {
		k.Payer = "whoever runs " + source.Place(c.Endpoint)
	}
	if !f.Unsigned[c.Winner] {
		return
	}
	k.Why += ", without its own credential"
	k.Where, k.Problem, k.Payer, k.Until = "", "", "whoever runs "+source.Place(c.Endpoint), time.Time{}
	if token, sent := f.Found[c.Authorization]; sent {
		k.Where, k.Identity, k.Until = token.Where, token.Identity, token.Until
	}
}

// absent says what was looked for.
func (f Facts) absent(n Name) string {
	switch n {
	case Gateway:
		return "nobody is signed in at one"
	case Helper:
		if f.Bare {
			return claudecode.Bare + " is on, and then only --settings can name one"
		}
		return "no settings file names one"
	case OAuthToken, Federation, Profile, Login, StoredKey:
		if f.Bare {
			return claudecode.Bare + " is on, and then it is not read"
		}
	case Headers:
		return "no credential is set there"
	}
	switch n {
	case Federation:
		if f.Named {
			return claudecode.ProfileName + " names a profile, so it is not looked for"
		}
		return claudecode.Federation + " or " + claudecode.Organization + " is not set"
	case Profile:
		return "none is active, or it cannot be used"
	case Login:
		return "nobody is signed in there, or not for using models"
	case StoredKey:
		return "there is none"
	}
	return n.Title() + " is not set"
}

// reason says why a source lost, after the winner's title.
func (f Facts) reason(n Name, c Choice) string {
	_, provider := c.Winner.provider()
	switch {
	case c.Winner == Gateway:
		return " outranks everything else"
	case provider && n != Headers:
		return " is switched on, and asked before all others"
	case provider:
		return " is switched on, and signs its requests itself"
	case n == Headers:
		return " fills the header itself"
	case n == Login && c.Winner != OAuthToken && (f.has(Federation) || f.Named || f.Federates) && f.first(AuthToken, APIKey, Helper) == "":
		return " is used: beside a profile that is named or federates, /login is not read"
	}
	return " is asked first"
}
