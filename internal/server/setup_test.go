package server_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/nodes"
)

const soundReport = `{"program":"0.1.0","system":"linux","arch":"amd64","release":"","claude_version":"","checks":[{"name":"server","state":"ok"}]}`

// TestSetupReports attacks the one route that a machine reports to.
func TestSetupReports(t *testing.T) {
	nodes.Each(t, func(t *testing.T, database string) {
		w := nodes.Start(t, nodes.Options{Database: database})
		ctx, rooms := context.Background(), w.Server.Rooms()
		members, _, err := rooms.Orgs.Members(ctx, caller.OfOperator(w.Sample.Organization), w.Sample.Organization, org.MemberFilter{})
		if err != nil {
			t.Fatal(err)
		}
		code, err := rooms.Onboarding.Code(ctx, members[0].Caller(caller.Web))
		if err != nil {
			t.Fatal(err)
		}
		send := func(body, bearer string) (int, string) {
			t.Helper()
			r, err := http.NewRequest(http.MethodPost, w.URL+"/setup-report", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			if bearer != "" {
				r.Header.Set("Authorization", "Bearer "+bearer)
			}
			answer, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			said, _ := io.ReadAll(answer.Body)
			return answer.StatusCode, string(said)
		}
		with := func(code, report string) string { return fmt.Sprintf(`{"code":%q,"report":%s}`, code, report) }
		for name, bad := range map[string]struct {
			body, bearer string
			want         int
		}{
			"nothing":            {"", "", 400},
			"no report":          {`{"code":"BCDFGHJK"}`, "", 400},
			"an unknown field":   {`{"code":"BCDFGHJK","member":"user_x","report":` + soundReport + `}`, "", 400},
			"two objects":        {with(code.Text, soundReport) + "{}", "", 400},
			"markup in a report": {with(code.Text, strings.Replace(soundReport, "0.1.0", "<script>", 1)), "", 400},
			"too much":           {with(code.Text, soundReport) + strings.Repeat(" ", 17<<10), "", 413},
			"a strange token":    {`{"report":` + soundReport + `}`, "nonsense", 401},
			"an API key":         {`{"report":` + soundReport + `}`, w.Sample.APIKey.Reveal(), 403},
			"an admin key":       {`{"report":` + soundReport + `}`, w.Sample.AdminKey.Reveal(), 403},
		} {
			if got, said := send(bad.body, bad.bearer); got != bad.want || strings.Contains(said, "<script>") {
				t.Errorf("%s: %d %s", name, got, said)
			}
		}
		// Right codes cost nothing, wrong ones run out, and then not even a right one
		// tells the guesser anything.
		for range 15 {
			if got, said := send(with(code.Text, soundReport), ""); got != 200 || said != `{"next":"install"}`+"\n" {
				t.Fatalf("a sound report: %d %s", got, said)
			}
		}
		first := ""
		for i := range 11 {
			got, said := send(with("BCDFGHJ"+string("BCDFGHJKLMN"[i]), soundReport), "")
			if first == "" {
				first = said
			}
			if got == 429 {
				break
			}
			if got != 404 || i == 11 {
				t.Fatalf("guess %d: %d %s", i, got, said)
			}
		}
		if got, _ := send(with(code.Text, soundReport), ""); got != 429 {
			t.Errorf("after the guesses: %d", got)
		}
	})
}
