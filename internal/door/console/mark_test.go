package console_test

import (
	"context"
	"math"
	"net/url"
	"strings"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/door/console"
	"github.com/gatehouse-dev/gatehouse/internal/org"
)

// TestEveryMarkIsReadable looks at every colour that there is.
func TestEveryMarkIsReadable(t *testing.T) {
	t.Parallel()
	var light [256]float64
	for i := range light {
		if c := float64(i) / 255; c <= 0.04045 {
			light[i] = c / 12.92
		} else {
			light[i] = math.Pow((c+0.055)/1.055, 2.4)
		}
	}
	worst := 21.0
	for r := range 256 {
		for g := range 256 {
			for b := range 256 {
				l := 0.2126*light[r] + 0.7152*light[g] + 0.0722*light[b]
				contrast := 1.05 / (l + 0.05)
				if console.InkOn(console.Luminance(byte(r), byte(g), byte(b))) == "#000000" {
					contrast = (l + 0.05) / 0.05
				}
				worst = min(worst, contrast)
			}
		}
	}
	if worst < 4.5 {
		t.Errorf("the worst contrast is %.2f", worst)
	}
}

func TestInitials(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"Acme Rockets": "AR", "acme": "A", "  the  big-company of x": "TB", "Ümlaut & Söhne": "ÜS", "東京 株式会社": "東株",
		"42nd street": "4S", "…": "·", "": "·", "<img src=x>": "IS", "\u202eabc": "A"} {
		if got := console.MarkOf(name, "").Initials; got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func FuzzMark(f *testing.F) {
	f.Add("Acme", "#1d4ed8")
	f.Add("\xff", `"/><script>`)
	f.Fuzz(func(t *testing.T, name, color string) {
		m := console.MarkOf(name, color)
		if len(m.Fill) != 7 || strings.Trim(m.Fill[1:], "0123456789abcdefABCDEF") != "" || (m.Ink != "#000000" && m.Ink != "#ffffff") {
			t.Errorf("%q makes the colours %q and %q", color, m.Fill, m.Ink)
		}
		if n := len([]rune(m.Initials)); n < 1 || n > 2 || strings.ContainsAny(m.Initials, "<>&\"'") {
			t.Errorf("%q makes the initials %q", name, m.Initials)
		}
	})
}

func TestAnOrganizationsMarkIsShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	ctx, o := context.Background(), w.owner.Organization
	yellow := "#fde047"
	if _, err := w.orgs.Update(ctx, w.owner.Caller(caller.Web), o, 1, org.Change{Color: &yellow}); err != nil {
		t.Fatal(err)
	}
	const mark = `fill="#fde047"/><text x="12" y="16" text-anchor="middle" fill="#000000">AR</text></svg>`
	v := w.as(w.owner)
	_, invited := w.invited("new@else.example", "", access.User)
	for path, u := range map[string]*visitor{"/": v, "/organization": v, invited: w.visitor(), w.link(w.member): w.visitor()} {
		got := u.get(path)
		if !strings.Contains(got.body, mark) {
			t.Errorf("%.12s lacks the mark:\n%s", path, got.body)
		}
		if strings.Contains(got.body, "style=") {
			t.Errorf("%.12s has a style that its policy forbids", path)
		}
	}
	// One that has chosen no colour has the product's; its name is text.
	if _, err := w.orgs.Create(ctx, w.owner.Caller(caller.Web), `"><script>alert(1)</script>`, org.Enterprise); err != nil {
		t.Fatal(err)
	}
	if got := v.get("/organization"); !strings.Contains(got.body, `fill="#3650c4"/><text x="12" y="16" text-anchor="middle" fill="#ffffff">SA</text>`) || strings.Contains(got.body, "<script>alert") {
		t.Errorf("the choice of an organization:\n%s", got.body)
	}
	for _, color := range []string{`#fff"/><script>`, "red", "#12345", "url(#x)", "#12345g"} {
		if got := v.post("/settings", url.Values{"name": {"Acme Rockets"}, "version": {"2"}, "color": {color}}); got.status != 400 {
			t.Errorf("the colour %q: %d", color, got.status)
		}
	}
}
