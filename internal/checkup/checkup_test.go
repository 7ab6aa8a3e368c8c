package checkup_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/checkup"
	"github.com/google/go-cmp/cmp"
)

const good = `{"program":"0.1.0","system":"linux","arch":"amd64","release":"Ubuntu 24.04.1 LTS","claude_version":"2.1.197",
	"checks":[{"name":"server","state":"ok"},{"name":"credentials","state":"warn","code":"outranked","items":["ANTHROPIC_API_KEY"]},
	{"name":"claude","state":"fail","code":"too_old"}]}`

func TestDecode(t *testing.T) {
	t.Parallel()
	r, err := checkup.Decode([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	same, err := checkup.Decode(again)
	if d := cmp.Diff(r, same); err != nil || d != "" {
		t.Errorf("%v\n%s", err, d)
	}
	if r.Installed() {
		t.Error("one that is too old counts as installed")
	}
	if !r.Passed() || !r.Failed() {
		t.Error("a missing Claude Code is a later step, and a failure")
	}
	if p := r.Problems(); len(p) != 2 || p[0].Name != "claude" || p[1].Items[0] != "ANTHROPIC_API_KEY" {
		t.Errorf("problems: %+v", p)
	}
	r.Checks[0] = checkup.Check{Name: checkup.Server, State: checkup.Fail, Code: "unreachable"}
	if r.Passed() {
		t.Error("a machine that cannot reach the server passes")
	}
}

func TestDecodeRefusesWhatIsNoReport(t *testing.T) {
	t.Parallel()
	change := func(old, new string) string { return strings.Replace(good, old, new, 1) }
	for name, bad := range map[string]string{
		"nothing":          ``,
		"null":             `null`,
		"a list":           `[]`,
		"an unknown field": change(`"arch"`, `"home":"/","arch"`),
		"more after it":    good + `{}`,
		"no checks":        `{"program":"1","system":"linux","arch":"amd64","release":"","claude_version":"","checks":[]}`,
		"a strange check":  change(`"server"`, `"secrets"`),
		"a check twice":    change(`"credentials"`, `"server"`),
		"a strange state":  change(`"warn"`, `"great"`),
		"no reason":        change(`"code":"too_old"`, `"code":""`),
		"markup":           change(`2.1.197`, `<script>`),
		"a right-to-left":  change(`Ubuntu`, "\u202eUbuntu"),
		"a control":        change(`Ubuntu`, `\u001b[31m`),
		"a value":          change(`ANTHROPIC_API_KEY`, `ANTHROPIC_API_KEY=sk`),
		"a long word":      change(`0.1.0`, strings.Repeat("1", 65)),
		"a long text":      change(`Ubuntu`, strings.Repeat("U", 90)),
		"many items":       change(`"ANTHROPIC_API_KEY"`, `"A"`+strings.Repeat(`,"A"`, 16)),
		"too large":        change(`Ubuntu`, strings.Repeat("U", checkup.MaxBytes)),
	} {
		if r, err := checkup.Decode([]byte(bad)); err == nil {
			t.Errorf("%s is taken: %+v", name, r)
		}
	}
}

func TestWordAndText(t *testing.T) {
	t.Parallel()
	if got := checkup.Word("2.1.9 (\u202eClaude\x1b[31m)"); got != "2.1.9Claude31m" {
		t.Errorf("Word: %q", got)
	}
	if got := checkup.Text("  Ubuntu <b>24.04\n" + strings.Repeat("x", 100)); len(got) > 80 || strings.ContainsAny(got, "<>\n") {
		t.Errorf("Text: %q", got)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte(`{"checks":[{}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := checkup.Decode(raw)
		if err != nil {
			return
		}
		all, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(string(all), "<>&\u202e\x1b") || len(all) > 2*checkup.MaxBytes {
			t.Errorf("taken: %s", all)
		}
	})
}
