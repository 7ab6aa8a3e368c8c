package console_test

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/apikey"
	"github.com/gatehouse-dev/gatehouse/internal/audit"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/door/console"
	"github.com/gatehouse-dev/gatehouse/internal/id"
)

// TestEveryTypeIsTold reads the types that there are from their source: none may
// be shown as its bare name.
func TestEveryTypeIsTold(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "../../audit/types.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	ast.Inspect(file, func(node ast.Node) bool {
		literal, ok := node.(*ast.BasicLit)
		if !ok || literal.Kind != token.STRING {
			return true
		}
		value, err := strconv.Unquote(literal.Value)
		if err != nil {
			t.Fatal(err)
		}
		n++
		for _, detail := range []audit.Detail{nil, {"email": "a@b.example", "name": "N", "role": "owner"}} {
			e := audit.Event{Type: audit.Type(value), Detail: detail}
			if told := console.Did(e); !console.Told(e.Type) || told == "" || strings.Contains(told, value) || strings.Contains(told, "%!") {
				t.Errorf("%s has no telling, or a poor one: %q", value, told)
			}
		}
		return true
	})
	if n < 70 {
		t.Errorf("only %d types were found", n)
	}
	if got := console.Did(audit.Event{Type: "widget.frozen_solid", Detail: audit.Detail{"name": "W"}}); got != "did this to the widget “W”: frozen solid" {
		t.Errorf("an unknown type: %q", got)
	}
}

// TestSentences tells of events as the rooms record them.
func TestSentences(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		what   audit.Type
		detail audit.Detail
		want   string
	}{
		{audit.KeyCreated, audit.Detail{"name": "build", "kind": "api", "by": "olive@acme.example", "owner": "nightly", "workspace_name": "Mobile", "expires_at": "2026-03-15T09:30:00Z"},
			"created the API key “build” for nightly in the workspace “Mobile”, until 15 March 2026, 09:30 UTC"},
		{audit.KeyCreated, audit.Detail{"name": "mine", "kind": "claude_code", "by": "a@b.example", "owner": "a@b.example"}, "created the Claude Code key “mine”"},
		{audit.KeyRotated, audit.Detail{"name": "build", "kind": "admin", "old_until": "2026-03-15T09:30:00Z"}, "renewed the admin key “build”; the old one works until 15 March 2026, 09:30 UTC"},
		{audit.SessionsRevoked, audit.Detail{"of": "dev@acme.example", "sessions": "3"}, "ended every session of dev@acme.example (3)"},
		{audit.SessionsRevoked, nil, "ended every session of a member"},
		{audit.WorkspaceMemberAdded, audit.Detail{"workspace": "Mobile", "principal": "svac_1", "role": "workspace_developer"}, "put svac_1 into the workspace “Mobile” as Workspace developer"},
		{audit.WorkspaceMemberUpdated, audit.Detail{"workspace": "Mobile", "principal": "user_1", "role_before": "workspace_user", "role_after": "workspace_admin"},
			"changed the role of user_1 in the workspace “Mobile” from Workspace user to Workspace admin"},
		{audit.WorkspaceMemberRemoved, audit.Detail{"workspace": "Mobile", "principal": "user_1"}, "took user_1 out of the workspace “Mobile”"},
		{audit.ServiceAccountUpdated, audit.Detail{"name_before": "a", "name_after": "b"}, "renamed the service account “a” to “b”"},
		{audit.SignInFailed, audit.Detail{"method": "passkey", "why": "sign_count", "name": "Phone"}, "did not get in: the passkey “Phone” counts backwards, so somebody may have a copy of it"},
		{audit.SignInFailed, audit.Detail{"method": "password"}, "did not get in: wrong password"},
		{audit.SignInUnfinished, audit.Detail{"method": "link"}, "began to sign in by link, which was right, and did not take the second step"},
		{audit.PasswordChanged, audit.Detail{"by_mail": "yes"}, "chose a new password by a link in a letter"},
		{audit.MemberNudged, audit.Detail{"email": "dev@acme.example", "step": "install"}, "reminded dev@acme.example of their set-up (next: install)"},
		{audit.SetupReported, audit.Detail{"system": "darwin"}, "reported from a machine (macOS) that all is well"},
		{audit.SetupReported, audit.Detail{"system": "linux", "claude_version": "2.1", "problems": "a:b c:d"}, "reported from a machine (Linux), with Claude Code 2.1, what is not well: a:b, c:d"},
		{audit.MailFailed, audit.Detail{"to": "a@b.example", "reason": "no such user"}, "could not deliver a letter to a@b.example: no such user"},
	} {
		if got := console.Did(audit.Event{Type: tt.what, Detail: tt.detail}); got != tt.want {
			t.Errorf("%s is told as %q, not %q", tt.what, got, tt.want)
		}
	}
}

func (w *world) note(t *testing.T, what audit.Type, target string, d audit.Detail) audit.Event {
	t.Helper()
	e := audit.New(w.owner.Caller(caller.Web).From("10.1.2.3"), w.clock.now(), what, target, d)
	if err := w.db.Activities().Note(context.Background(), e); err != nil {
		t.Fatal(err)
	}
	return e
}

func TestTheRecordIsRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	foreign := w.second(t, "Other Rockets", "eve@other.example")
	v := w.as(w.owner)
	e := w.note(t, audit.MemberUpdated, string(w.member.ID), audit.Detail{"email": w.member.Email, "seat_before": "front", "seat_after": "back", "role_before": "user", "role_after": "developer"})
	page := v.get("/activity?q=" + url.QueryEscape("10.1.2.3 DEV@acme"))
	for _, part := range []string{`changed the role of <a href="/members/` + string(w.member.ID) + `">dev@acme.example</a> from User to Developer`,
		"Seat: <del>front</del>", "<ins>back</ins>", "10.1.2.3", "in the browser", `href="/activity/` + string(e.ID) + `"`, `title="14 March 2026, 09:30:00 UTC"`} {
		if !strings.Contains(page.body, part) {
			t.Errorf("the record lacks %q:\n%s", part, page.body)
		}
	}
	for query, want := range map[string]int{
		"?subject=keys": 0, "?subject=members&q=front": 1, "?who=olive": 1, "?who=" + string(w.owner.ID) + "&subject=members": 1, "?who=dev%40acme.example": 0,
		"?days=1&q=front": 1, "?from=2026-03-14&to=2026-03-14&q=front": 1, "?to=2026-03-13": 0, "?of=" + string(w.member.ID) + "&q=front": 1, "?q=front+nothing": 0,
	} {
		got := v.get("/activity" + query)
		if has := strings.Contains(got.body, "front"+"</del>"); got.status != 200 || has != (want == 1) {
			t.Errorf("/activity%s: %d, shows the entry: %v", query, got.status, has)
		}
	}
	for _, query := range []string{"?from=yesterday", "?from=2026-03-15&to=2026-03-01", "?q=" + strings.Repeat("x", 500)} {
		if got := v.get("/activity" + query); got.status != 400 || !strings.Contains(got.body, `role="alert"`) {
			t.Errorf("/activity%.30s: %d", query, got.status)
		}
	}
	entry := v.get("/activity/" + string(e.ID))
	for _, part := range []string{"Leaf hash", "gatehoused verify", "member.updated", string(w.member.ID), "Before"} {
		if !strings.Contains(entry.body, part) {
			t.Errorf("the entry's page lacks %q:\n%s", part, entry.body)
		}
	}
	elsewhere := audit.New(caller.OfSystem(foreign), w.clock.now(), audit.SignInFailed, "x", audit.Detail{"email": "eve@other.example"})
	if err := w.db.Activities().Note(t.Context(), elsewhere); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{string(elsewhere.ID), string(id.NewActivity()), "x"} {
		if got := v.get("/activity/" + id); got.status != 404 {
			t.Errorf("/activity/%s: %d", id, got.status)
		}
	}
	// A developer sees what they did, and that alone.
	if _, _, err := w.keys.Create(t.Context(), w.member.Caller(caller.Web), w.owner.Organization, apikey.New{Name: "my own key"}); err != nil {
		t.Fatal(err)
	}
	dev := w.as(w.member)
	for _, query := range []string{"", "?who=olive", "?who=" + string(w.owner.ID), "?q=front", "?of=" + string(w.member.ID)} {
		if got := dev.get("/activity" + query); got.status != 200 || strings.Contains(got.body, "front</del>") || strings.Contains(got.body, "/activity/export") {
			t.Errorf("a developer reads of others at %q: %d", query, got.status)
		}
	}
	if got := dev.get("/activity"); !strings.Contains(got.body, "my own key") || !strings.Contains(got.body, "What you did") {
		t.Errorf("a developer's own entries:\n%s", got.body)
	}
	if got := dev.get("/activity/" + string(e.ID)); got.status != 404 {
		t.Errorf("a developer opens an entry of the owner's: %d", got.status)
	}
}

func TestTheRecordIsExported(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	formulas := []string{`=cmd|'/c calc'!A0`, "+1", "-1", "@SUM(A1)", "\t=1", " =1", "＝1"}
	for _, f := range formulas {
		w.note(t, audit.AccountUpdated, f, audit.Detail{"name_before": "x", "name_after": f, "by": f})
	}
	v := w.as(w.owner)
	got := v.post("/activity/export", url.Values{"format": {"csv"}, "q": {"10.1.2.3"}})
	rows, err := csv.NewReader(strings.NewReader(got.body)).ReadAll()
	if err != nil || len(rows) != len(formulas)+1 || !strings.HasPrefix(got.header.Get("Content-Disposition"), `attachment; filename="activity-2026-03-14`) {
		t.Fatalf("%d rows, %v, %q:\n%s", len(rows), err, got.header, got.body)
	}
	for _, row := range rows[1:] {
		for _, cell := range row[1:] {
			if cell != "" && strings.ContainsAny(strings.TrimSpace(cell)[:1], "=+-@") {
				t.Errorf("a cell begins a formula: %q", cell)
			}
		}
	}
	got = v.post("/activity/export", url.Values{"format": {"ndjson"}, "subject": {"sign-in"}})
	last := -1.0
	for line := range strings.Lines(got.body) {
		var one map[string]any
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			t.Fatalf("%v: %q", err, line)
		}
		if at := one["position"].(float64); at <= last {
			t.Errorf("entry %v follows %v", at, last)
		} else {
			last = at
		}
		if !strings.HasPrefix(one["type"].(string), "account.") && !strings.HasPrefix(one["type"].(string), "sign_in_link.") {
			t.Errorf("the filter let %v through", one["type"])
		}
	}
	if last < 0 {
		t.Errorf("nothing was exported:\n%s", got.body)
	}
	if got := v.post("/activity/export", url.Values{"format": {"exe"}}); got.status != 400 {
		t.Errorf("an unknown form: %d", got.status)
	}
	if got := v.get("/activity?q=exported"); strings.Contains(got.body, "exported the record") {
		t.Log("sentences are not words of the record")
	}
	if got := v.get("/activity?subject=settings"); !strings.Contains(got.body, "exported the record as csv, with the words “10.1.2.3”") || !strings.Contains(got.body, "exported the record as ndjson") {
		t.Errorf("the exports are not in the record:\n%s", got.body)
	}
}

// TestPagesOfTheRecord goes back to the first entry and forth again.
func TestPagesOfTheRecord(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	for i := range 130 {
		w.note(t, audit.KeyRotated, "apikey_x", audit.Detail{"name": fmt.Sprintf("key-no-%d", i)})
	}
	w.add("late@acme.example", "", access.User)
	v := w.as(w.owner)
	link := func(body, rel string) string {
		_, rest, ok := strings.Cut(body, `<nav class="paging"`)
		if !ok {
			return ""
		}
		for part := range strings.SplitSeq(rest, "<a ") {
			if strings.Contains(part, `rel="`+rel+`"`) {
				_, to, _ := strings.Cut(part, `href="`)
				to, _, _ = strings.Cut(to, `"`)
				return strings.ReplaceAll(to, "&amp;", "&")
			}
		}
		return ""
	}
	at, n := "/activity?subject=keys", 0
	var visited []string
	for at != "" {
		got := v.get(at)
		n += strings.Count(got.body, "key-no-")
		visited = append(visited, got.body)
		at = link(got.body, "next")
	}
	if n != 130 || len(visited) != 3 {
		t.Errorf("%d entries on %d pages", n, len(visited))
	}
	if got := v.get(link(visited[2], "prev")); strings.Count(got.body, "key-no-") != 50 || link(got.body, "prev") == "" {
		t.Errorf("the page before the last:\n%s", got.body)
	}
}
