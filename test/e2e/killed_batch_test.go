package e2e_test

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/invite"
	"github.com/gatehouse-dev/gatehouse/internal/kms"
	"github.com/gatehouse-dev/gatehouse/internal/letter"
	"github.com/gatehouse-dev/gatehouse/internal/outbox"
	"github.com/gatehouse-dev/gatehouse/internal/store"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/gatehoused"
)

var dealt = regexp.MustCompile(`(\d+) of 2000 dealt with`)

// TestAKilledServerGoesOnInviting kills the server while it stores the
// invitations of a list, starts it again, and looks for what is missing and what
// is there twice.
func TestAKilledServerGoesOnInviting(t *testing.T) {
	t.Parallel()
	d := gatehoused.Start(t, gatehoused.Options{})
	v := visit(t, d.URL)
	v.led(v.post(d.Owner.SignInURL, nil))
	var list strings.Builder
	list.WriteString("email,name,role\n")
	for i := range 2000 {
		fmt.Fprintf(&list, "p%d@example.org,Person %d,developer\n", i, i)
	}
	batch := v.led(v.upload("/invitations/batches", "file", list.String(), nil))
	v.led(v.post(batch+"/send", nil))
	v.until(batch, func(text string) bool {
		found := dealt.FindStringSubmatch(text)
		if found == nil {
			t.Fatalf("the batch was not seen under way:\n%s", text)
		}
		n, _ := strconv.Atoi(found[1])
		return n > 0
	})
	d.Kill9()
	invited, letters := sentTo(t, d)
	if len(invited) == 0 || len(invited) == 2000 || len(letters) != len(invited) {
		t.Fatalf("killed with %d invitations and %d letters", len(invited), len(letters))
	}
	t.Logf("killed with %d invitations stored", len(invited))

	d.Restart()
	v.url = d.URL
	v.until(batch, func(text string) bool { return !strings.Contains(text, "<progress") })
	v.led(v.post(batch+"/send", nil)) // once more changes nothing
	d.Kill9()
	invited, letters = sentTo(t, d)
	for i := range 2000 {
		email := fmt.Sprintf("p%d@example.org", i)
		if invited[email] != 1 || letters[email] != 1 {
			t.Errorf("%s has %d invitations and %d letters", email, invited[email], letters[email])
		}
	}
	if len(invited) != 2000 || len(letters) != 2000 {
		t.Errorf("%d were invited, and %d have a letter", len(invited), len(letters))
	}
}

// sentTo counts invitations and letters by address, without the program. Every
// letter has to lead to the invitation of its address.
func sentTo(t *testing.T, d *gatehoused.Demo) (invited, letters map[string]int) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx := context.Background()
	db, err := store.Open(ctx, filepath.Join(d.Data, "gatehouse.db"))
	must(err)
	defer db.Close()
	ring, err := kms.FromFile(filepath.Join(d.Data, "master.key"))
	must(err)
	now := time.Now()
	_, err = db.Unlock(ctx, ring, now)
	must(err)
	invited, letters = map[string]int{}, map[string]int{}
	addresses := map[string]string{}
	for f, more := (invite.Filter{Limit: 1000}), true; more; {
		var some []invite.Invite
		some, more, err = db.Invites().Invites(ctx, id.Organization(d.OrganizationID), f, now)
		must(err)
		for _, i := range some {
			invited[i.Email]++
			addresses[string(i.ID)] = i.Email
			f.After = i.ID
		}
	}
	leads := map[string]bool{}
	for f, more := (outbox.Filter{Everywhere: true, Limit: 1000}), true; more; {
		var some []outbox.Message
		some, more, err = db.Outbox().Messages(ctx, f)
		must(err)
		for _, m := range some {
			f.After = m.ID
			if m.Kind != letter.Invitation {
				continue
			}
			letters[m.To]++
			if addresses[m.About] != m.To || leads[m.Link.Reveal()] {
				t.Errorf("the letter to %s is about the invitation of %q, or has somebody else's link", m.To, addresses[m.About])
			}
			leads[m.Link.Reveal()] = true
		}
	}
	return invited, letters
}
