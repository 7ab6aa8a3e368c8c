package console_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/org"
)

// TestSpraying tries one password at many accounts from one address: changing
// the account buys no tries.
func TestSpraying(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	tried, refused := 0, false
	for round := range 12 { // slower than every other limit
		for i := range 10 {
			got := w.visitor().post("/sign-in", url.Values{"email": {fmt.Sprintf("p%d.%d@acme.example", round, i)}, "password": {"Summer2026!"}})
			if refused = got.status == http.StatusTooManyRequests; refused {
				break
			}
			tried++
		}
		if refused {
			break
		}
		w.clock.add(2 * time.Minute)
	}
	if !refused || tried > 60 {
		t.Errorf("%d accounts were tried", tried)
	}
	// Whoever signs in rightly is not held for a sprayer after a while.
	w.clock.add(10 * time.Minute)
	if _, got := w.byPassword(w.owner.Email); got.status != http.StatusSeeOther {
		t.Errorf("the owner, later: %d", got.status)
	}
}

func TestNoFormIsTakenFromAnotherSite(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	v := w.as(w.owner)
	v.headers = map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
	for pattern := range matrix {
		path, post := strings.CutPrefix(pattern, "POST ")
		if !post || !(strings.HasPrefix(path, "/account") || strings.HasPrefix(path, "/sign-") || strings.HasPrefix(path, "/forgot") || strings.HasPrefix(path, "/reset") || strings.HasPrefix(path, "/undo")) {
			continue
		}
		if got := v.post(strings.NewReplacer("{id}", "x", "{token}", "x").Replace(path), nil); got.status != http.StatusForbidden {
			t.Errorf("%s: %d", pattern, got.status)
		}
	}
}

func TestALinkOpensNoMightierAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	ctx := context.Background()
	admin, second := w.add("admin@acme.example", "", access.Admin), w.add("second@acme.example", "", access.Owner)
	for _, c := range []struct {
		who, of org.Member
		fails   bool
	}{{admin, w.member, false}, {admin, second, true}, {admin, w.owner, true}, {second, admin, false}, {second, w.owner, true}, {w.owner, second, false}} {
		who, _, err := w.db.Orgs().Member(ctx, c.who.Organization, c.who.ID)
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.accounts.MakeSignInLink(ctx, who.Caller(caller.Web), c.of.Organization, c.of.ID, false)
		if fault.Is(err, fault.Denied) != c.fails || (err != nil) != c.fails {
			t.Errorf("%s makes a link for %s: %v", c.who.Role, c.of.Role, err)
		}
	}
}

func TestTheLastWayInStays(t *testing.T) {
	t.Parallel()
	w := newWorld(t).populate()
	v := w.as(w.owner)
	w.enrol(v)
	if got := v.post("/account/password/remove", nil); got.status != http.StatusConflict || !strings.Contains(got.body, "last way into your account") {
		t.Errorf("removing the only password: %d", got.status)
	}
	if err := w.accounts.RemoveFactors(context.Background(), w.owner.Caller(caller.Web), w.owner.Account); !fault.Is(err, fault.Denied) {
		t.Errorf("an owner removes second factors as the operator does: %v", err)
	}
	if err := w.accounts.RemoveFactors(context.Background(), caller.OfOperator(""), w.owner.Account); err != nil {
		t.Fatal(err)
	}
	if _, got := w.byPassword(w.owner.Email); got.location != "/keys" {
		t.Errorf("after the operator's help: %q", got.location)
	}
}
