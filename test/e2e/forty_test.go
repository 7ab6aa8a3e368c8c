package e2e_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/testkit/claude"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/gatehoused"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/smtpd"
)

// forty is how many people are invited. The last of them stop on their way: one
// after each step.
const forty, stopping = 40, 4

const newPassword = "a horse of forty batteries"

// colleague is one of the forty.
type colleague struct {
	*visitor
	number      int
	email, role string
	link        string // that came by mail
	code        string // of their set-up
}

// TestFortyPeopleTurnGreen is what the product is for: somebody sets up an
// organization, invites forty people from a table, and sees them turn green.
// Nobody has a script in their browser, and nothing is known but what pages,
// mails and programs say.
func TestFortyPeopleTurnGreen(t *testing.T) {
	t.Parallel()
	mailServer := smtpd.Start(t, smtpd.Options{NoTLS: true})
	server := gatehoused.Serve(t, "--mail-host", "127.0.0.1", "--mail-port", strconv.Itoa(mailServer.Port), "--mail-security", "none", "--mail-from", "gate@acme.example")
	owner, group, place := setUp(t, server)

	batch := owner.led(owner.upload("/invitations/batches", "file", table(), nil))
	if p := owner.get(batch); !strings.Contains(p.text, "Invite 40 people") || strings.Contains(p.text, "To mend</h2>") {
		t.Fatalf("the checked list:\n%s", p.text)
	}
	owner.led(owner.post(batch+"/send", nil))
	owner.until(batch, func(text string) bool { return strings.Contains(text, "40 people invited") })
	mailServer.Wait(t, forty)
	people := readMail(t, server, mailServer)

	t.Run("members", func(t *testing.T) {
		for _, one := range people {
			t.Run(one.email, func(t *testing.T) {
				t.Parallel()
				one.t = t
				one.joins()
				switch back := forty - one.number; {
				case back <= stopping:
					one.goesAsFarAs(t, back)
				case one.number == 0:
					one.usesClaudeCode(t)
				case one.number < 4:
					one.reports(t, bare)
					one.asks(one.signsInADevice())
				default:
					one.asks(one.makesAKey())
				}
			})
		}
	})
	if t.Failed() {
		return
	}
	// Nobody's progress is known before the ledger has it.
	owner.funnel(map[string]int{"Check the system": 2, "Install Claude Code": 1, "Sign in": 1, "Ask something": 1, "Done": forty - stopping})
	for _, one := range people[forty-stopping:] {
		if p := owner.get("/people/setup"); !strings.Contains(p.text, one.email) {
			t.Errorf("%s is not among those who are not done:\n%s", one.email, p.text)
		}
		one.t = t
		one.asks(one.makesAKey())
	}
	owner.asks(owner.makesAKey())
	owner.funnel(map[string]int{"Check the system": 0, "Install Claude Code": 0, "Sign in": 0, "Ask something": 0, "Done": forty + 1})
	if p := owner.get("/people/setup"); !strings.Contains(p.text, "Nobody is in the middle of their set-up.") {
		t.Errorf("when all are done:\n%s", p.text)
	}
	// What stood in the table beside the addresses came with the people.
	if p := owner.get(group); !strings.Contains(p.text, "<h2>20 members</h2>") {
		t.Errorf("the group:\n%s", p.text)
	}
	if p := owner.get(place); !strings.Contains(p.text, people[3].email) {
		t.Errorf("the workspace:\n%s", p.text)
	}
}

var versionField = regexp.MustCompile(`name="version" value="(\d+)"`)

// setUp makes an organization as its first owner does, with a group, a workspace,
// a model and as many seats as it takes.
func setUp(t *testing.T, server gatehoused.Serving) (owner *colleague, group, place string) {
	t.Helper()
	owner = &colleague{visitor: visit(t, server.URL), email: "olive@acme.example"}
	owner.led(owner.post(server.SetupURL, url.Values{"organization": {"Acme Rockets"}, "name": {"Olive Owner"}, "email": {owner.email}, "password": {newPassword}}))
	version := versionField.FindStringSubmatch(owner.get("/settings/plan").text)
	if version == nil {
		t.Fatal("the page of the plan has no version")
	}
	owner.led(owner.post("/settings/plan", url.Values{"version": version[1:], "plan": {"enterprise"}, "seats": {strconv.Itoa(forty + 1)}}))
	owner.led(owner.post("/upstreams", url.Values{"provider": {"simulated"}}))
	group, _, _ = strings.Cut(owner.led(owner.post("/groups", url.Values{"name": {"Platform team"}})), "?")
	place, _, _ = strings.Cut(owner.led(owner.post("/workspaces", url.Values{"name": {"Mobile"}})), "?")
	return owner, group, place
}

// roleOf is the role that the table gives to a person, as people write it.
func roleOf(number int) string { return []string{"Developer", "claude code user"}[number%4/3] }

// table is a table as a spreadsheet program of a European saves it.
func table() string {
	var all strings.Builder
	all.WriteString("\ufeffName;E-Mail;Role;Groups;Workspace\r\n")
	for i := range forty {
		fmt.Fprintf(&all, "\"Person \"\"%02d\"\"\";P%02d@acme.example;%s;%s;%s\r\n", i, i, roleOf(i), []string{"platform team", ""}[i%2], []string{"", "Mobile"}[i%2])
	}
	return all.String()
}

var inMail = regexp.MustCompile(`http://\S+/invite/\S+`)

// readMail finds in every mail the one link that it is about.
func readMail(t *testing.T, server gatehoused.Serving, from *smtpd.Server) []*colleague {
	t.Helper()
	people := make([]*colleague, forty)
	for _, m := range from.Messages() {
		var number int
		if _, err := fmt.Sscanf(m.EnvelopeTo[0], "p%d@acme.example", &number); err != nil || number >= forty || people[number] != nil {
			t.Fatalf("a mail to %v", m.EnvelopeTo)
		}
		if role := strings.ToLower(roleOf(number)); !strings.Contains(m.Text, fmt.Sprintf("Person \"%02d\"", number)) || !strings.Contains(strings.ToLower(m.Text), "olive owner invites you to join acme rockets on gatehouse as "+role) {
			t.Errorf("the mail to %v says\n%s", m.EnvelopeTo, m.Text)
		}
		people[number] = &colleague{visitor: visit(t, server.URL), number: number, email: m.EnvelopeTo[0], role: roleOf(number), link: inMail.FindString(m.Text)}
	}
	return people
}

var reportCommand = regexp.MustCompile(`gatehouse doctor --server (\S+) --report (\S+?)<`)

// joins opens the link of the mail, makes an account and looks at what to do.
func (c *colleague) joins() {
	c.t.Helper()
	if p := c.get(c.link); !strings.Contains(p.text, "Join Acme Rockets") || !strings.Contains(p.text, `value="`+c.email+`"`) {
		c.t.Fatalf("the link of the mail: %d\n%s", p.status, p.text)
	}
	start := c.led(c.post(c.link, url.Values{"name": {fmt.Sprintf("Person %02d", c.number)}, "password": {newPassword}}))
	command := reportCommand.FindStringSubmatch(c.get(start).text)
	if start != "/start" || command == nil || command[1] != c.url {
		c.t.Fatalf("joining leads to %s, which says %q", start, command)
	}
	c.code = command[2]
}

// bare is a path without Claude Code.
const bare = "/usr/bin:/bin"

// reports runs the command of the page, on a machine with programs in a path. The
// command finds that nobody is signed in there yet, and says how to.
func (c *colleague) reports(t *testing.T, path string) {
	t.Helper()
	ran := gatehoused.Run(t, claude.Home(t), map[string]string{"PATH": path}, "doctor", "--server", c.url, "--report", c.code)
	if ran.Exit != 1 || !strings.Contains(ran.Stdout, "gatehouse login --server "+c.url) || !strings.Contains(ran.Stderr, "Told "+c.url) {
		t.Fatalf("gatehouse doctor: %+v", ran)
	}
}

// goesAsFarAs stops at a step: 4 has joined, 3 has reported, 2 has Claude Code as
// well, 1 has signed in.
func (c *colleague) goesAsFarAs(t *testing.T, step int) {
	t.Helper()
	switch step {
	case 3:
		c.reports(t, bare)
	case 2:
		c.reports(t, withClaude(t))
	case 1:
		c.signsInADevice()
	}
}

// withClaude is a path on which Claude Code is found.
func withClaude(t *testing.T) string {
	t.Helper()
	return filepath.Dir(claude.Program(t)) + ":" + pathOfTests
}

// usesClaudeCode goes the whole way with the real programs.
func (c *colleague) usesClaudeCode(t *testing.T) {
	t.Helper()
	c.reports(t, withClaude(t))
	home := claude.Home(t)
	if exit, said := logIn(t, c.url, home, c.approves); exit != 0 {
		t.Fatalf("gatehouse login: exit %d\n%s", exit, said)
	}
	if ran := gatehoused.Run(t, home, map[string]string{"PATH": withClaude(t)}, "doctor", "--report"); ran.Exit != 0 {
		t.Errorf("gatehouse doctor, signed in: %+v", ran)
	}
	answers(t, claude.Run(t, claude.Options{Home: home, Env: map[string]string{"ANTHROPIC_PROFILE": "gatehouse"}}))
}

func (c *colleague) approves(code string) {
	c.t.Helper()
	if p := c.post("/device", url.Values{"user_code": {code}, "decision": {"approve"}}); p.status != http.StatusOK || !strings.Contains(p.text, "The device is connected") {
		c.t.Fatalf("approving %s: %d\n%s", code, p.status, p.text)
	}
}

// signsInADevice signs in as Claude Code does, and returns the access token.
func (c *colleague) signsInADevice() string {
	c.t.Helper()
	var begun struct {
		Device string `json:"device_code"`
		User   string `json:"user_code"`
	}
	c.must(json.Unmarshal([]byte(c.post("/oauth/device_authorization", nil).text), &begun))
	c.approves(begun.User)
	var got struct {
		Access string `json:"access_token"`
	}
	c.must(json.Unmarshal([]byte(c.post("/oauth/token", url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "device_code": {begun.Device}}).text), &got))
	return got.Access
}

var keyShown = regexp.MustCompile(`sk-gate-[a-z]+[0-9]+-\w+`)

// makesAKey makes the key that the role allows.
func (c *colleague) makesAKey() string {
	c.t.Helper()
	kind := map[string]string{"claude code user": "claude_code"}[c.role]
	p := c.post("/keys", url.Values{"name": {"first"}, "kind": {cmp.Or(kind, "api")}, "expires": {"1d"}})
	key := keyShown.FindString(p.text)
	if key == "" {
		c.t.Fatalf("making a key: %d\n%s", p.status, p.text)
	}
	return key
}

// asks sends one message with a credential.
func (c *colleague) asks(credential string) {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.url+"/v1/messages", strings.NewReader(`{"model":"`+model+`","max_tokens":500,"messages":[{"role":"user","content":"hi"}]}`))
	c.must(err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+credential)
	answer, err := http.DefaultClient.Do(r)
	c.must(err)
	defer answer.Body.Close()
	said, err := io.ReadAll(answer.Body)
	c.must(err)
	if answer.StatusCode != http.StatusOK || !strings.Contains(string(said), `"end_turn"`) {
		c.t.Fatalf("asking: %d %s", answer.StatusCode, said)
	}
}

var funnelRow = regexp.MustCompile(`<th scope="row"><[^>]+>([^<]+)</(?:a|span)></th><td class="number" data-label="Members">(\d+)<`)

// funnel waits until the page about set-ups says so many at each step.
func (c *colleague) funnel(want map[string]int) {
	c.t.Helper()
	c.until("/people/setup", func(text string) bool {
		rows := funnelRow.FindAllStringSubmatch(text, -1)
		if len(rows) != len(want) {
			c.t.Fatalf("the funnel has %d rows\n%s", len(rows), text)
		}
		for _, row := range rows {
			if n, ok := want[row[1]]; !ok || strconv.Itoa(n) != row[2] {
				return false
			}
		}
		return true
	})
}
