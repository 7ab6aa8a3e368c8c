package console

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/checkup"
	"github.com/gatehouse-dev/gatehouse/internal/onboarding"
)

var startRoutes = []route{
	get("/start", member, (*Console).start),
	get("/start/state", member, (*Console).startState),
}

// startStep is one step of a member's set-up as the page shows it.
type startStep struct {
	Title    string
	Done     bool
	Current  bool
	When     moment // that it was done
	What     string // what was found, if it is done
	Help     string
	Commands []startCommand
	Waits    string // what turns it green
	Findings []finding
	Link     *link
}

// startCommand is something to copy.
type startCommand struct {
	Label string // what to do with it
	Text  string
}

// startState is what the page asks for while somebody waits: whether anything
// happened, and whether to go on asking.
type startState struct {
	State   string `json:"state"`
	Pending bool   `json:"pending"`
}

func stateOf(p onboarding.Progress) startState {
	return startState{fmt.Sprintf("%s-%x", p.Step, p.ReportedAt.UnixMicro()), p.Step != onboarding.Done}
}

func (c *Console) startState(v *visit) error {
	p, err := c.cfg.Onboarding.Mine(v.r.Context(), v.who)
	if err != nil {
		return err
	}
	body, err := json.Marshal(stateOf(p))
	if err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", "application/json")
	v.w.Header().Set("Content-Security-Policy", v.policy())
	if v.r.Method != http.MethodHead {
		_, _ = v.w.Write(body)
	}
	return nil
}

// start is the page that leads a member to their first answer. It makes their
// set-up code when it is first looked at; that gives nobody anything.
func (c *Console) start(v *visit) error {
	p, err := c.cfg.Onboarding.Mine(v.r.Context(), v.who)
	if err != nil {
		return err
	}
	w := view{Title: "Get started", Lead: "Five steps from here to your first answer. Each turns green by itself."}
	body := struct {
		startState
		Models  bool
		Done    bool
		Said    string
		Steps   []startStep
		Systems []tab
		Doors   []tab
		Door    string
		Again   string
	}{startState: stateOf(p), Models: v.who.Rights.Has(caller.UseModels), Done: p.Step == onboarding.Done, Again: local(v.r.URL.RequestURI())}
	if !body.Models {
		w.Lead, body.Pending = "You are in. There is nothing to set up for your role.", false
		w.Body = body
		return v.show(http.StatusOK, "start", w)
	}
	code, err := c.cfg.Onboarding.Code(v.r.Context(), v.who)
	if err != nil {
		return err
	}
	to := c.chosen(v, code)
	if body.Done {
		w.Lead = "You are set up. The steps stay here for your next computer."
	}
	body.Systems, body.Doors, body.Door = to.systems(v.r.URL), to.doors(v.r.URL), to.door.help
	body.Steps = c.startSteps(p, to)
	body.Said = said(p.Step)
	v.polls = body.Pending
	w.Body = body
	return v.show(http.StatusOK, "start", w)
}

// said is read out when a step was done.
func said(next onboarding.Step) string {
	switch next {
	case onboarding.Install:
		return "Your system is checked. Next: install Claude Code."
	case onboarding.SignIn:
		return "Claude Code is there. Next: sign in."
	case onboarding.Request:
		return "You are signed in. Next: your first request."
	case onboarding.Done:
		return "Your first request was answered. You are set up."
	}
	return ""
}

func (c *Console) startSteps(p onboarding.Progress, to target) []startStep {
	passed := !p.CheckedAt.IsZero() || !p.SignedInAt.IsZero() || p.Step == onboarding.Done
	steps := []startStep{
		{Title: "Join " + to.organization, Done: true, When: c.moment(p.AcceptedAt)},
		{Title: "Check your system", Done: passed, When: c.moment(p.CheckedAt), Help: to.checkHelp(), Commands: to.checkCommands(),
			Waits: "Turns green when the report arrives without a problem."},
		{Title: "Install Claude Code", Done: !p.InstalledAt.IsZero() || p.Step == onboarding.Done, When: c.moment(p.InstalledAt),
			Help: "Anthropic publishes two ways; one of them is enough.", Commands: to.installCommands(), Waits: to.installWaits()},
		{Title: "Sign in", Done: !p.SignedInAt.IsZero() || p.Step == onboarding.Done, When: c.moment(p.SignedInAt), Help: to.signInHelp(),
			Commands: to.signInCommands(), Waits: to.signInWaits(), Link: to.signInLink()},
		{Title: "Ask something", Done: p.Step == onboarding.Done, When: c.moment(p.AnsweredAt), Help: "In a new terminal window, in any folder.",
			Commands: to.requestCommands(), Waits: "Turns green when the answer has come."},
	}
	if p.Step < onboarding.Done {
		steps[int(p.Step)].Current = true
	}
	if !p.ReportedAt.IsZero() {
		steps[1].What = machine(p.Report)
		steps[1].Findings = findings(p.Report, checkup.Claude, checkup.SignIn)
	}
	if p.Claude != "" {
		steps[2].What = "Claude Code " + p.Claude
	}
	return steps
}

// detect is the system that a browser says it runs on.
func detect(agent string) string {
	switch {
	case strings.Contains(agent, "Windows"):
		return "windows"
	case strings.Contains(agent, "Macintosh"), strings.Contains(agent, "Mac OS X"):
		return "macos"
	}
	return "linux"
}
