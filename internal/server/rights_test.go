package server_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/account"
	"github.com/gatehouse-dev/gatehouse/internal/activity"
	"github.com/gatehouse-dev/gatehouse/internal/apikey"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/cloudaccess"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/invite"
	"github.com/gatehouse-dev/gatehouse/internal/oauth"
	"github.com/gatehouse-dev/gatehouse/internal/onboarding"
	"github.com/gatehouse-dev/gatehouse/internal/org"
	"github.com/gatehouse-dev/gatehouse/internal/outbox"
	"github.com/gatehouse-dev/gatehouse/internal/serviceaccount"
	"github.com/gatehouse-dev/gatehouse/internal/session"
	"github.com/gatehouse-dev/gatehouse/internal/upstream"
	"github.com/gatehouse-dev/gatehouse/internal/usage"
	"github.com/gatehouse-dev/gatehouse/internal/workspace"
	"github.com/google/go-cmp/cmp"
)

var rewrite = flag.Bool("update", false, "write testdata/rights.txt anew, to be read before it is committed")

// TestRights asks every method of every room that takes a caller, as everybody,
// and compares who gets past its decision with a table that people have read. A
// new method is a new row: it cannot come in unseen.
//
// The rooms have no store. Whoever is let past the decision falls through the
// floor, and that is how the test knows.
func TestRights(t *testing.T) {
	t.Parallel()
	const home, foreign = id.Organization("home"), id.Organization("foreign")
	member := func(role access.Role, o id.Organization) caller.Caller {
		return caller.Caller{Kind: caller.Member, Way: caller.Web, Organization: o, Member: "user_asks", Account: "acct_asks", Role: string(role), Rights: role.Rights()}
	}
	columns := []struct {
		name string
		who  caller.Caller
	}{{"nobody", caller.Caller{}}}
	for _, r := range access.Roles() {
		columns = append(columns, struct {
			name string
			who  caller.Caller
		}{string(r), member(r, home)})
	}
	columns = append(columns, []struct {
		name string
		who  caller.Caller
	}{
		{"admin_key", caller.Caller{Kind: caller.AdminKey, Way: caller.Key, Organization: home, Key: "apikey_asks", Rights: access.AdminKeyRights()}},
		{"api_key", caller.Caller{Kind: caller.Member, Way: caller.Key, Organization: home, Member: "user_asks", Key: "apikey_asks", Rights: access.KeyRights(access.Owner.Rights(), caller.OwnKeys)}},
		{"foreign_owner", member(access.Owner, foreign)},
		{"operator", caller.OfOperator(home)},
	}...)

	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprint(w, "method")
	for _, c := range columns {
		fmt.Fprint(w, "\t", c.name)
	}
	fmt.Fprintln(w)
	for _, room := range []any{
		&account.Service{},
		&activity.Service{Now: time.Now},
		&apikey.Service{Now: time.Now},
		&cloudaccess.Service{Now: time.Now},
		invite.NewService(invite.Config{Now: time.Now}),
		&oauth.Service{Now: time.Now},
		onboarding.New(onboarding.Config{Now: time.Now}),
		&org.Service{Now: time.Now},
		&outbox.Service{Now: time.Now},
		&serviceaccount.Service{Now: time.Now},
		session.New(session.Config{Now: time.Now}),
		&upstream.Service{Now: time.Now},
		&usage.Service{},
		&workspace.Service{Now: time.Now},
	} {
		for i := range reflect.TypeOf(room).NumMethod() {
			m := reflect.TypeOf(room).Method(i)
			if m.Type.NumIn() < 3 || m.Type.In(2) != reflect.TypeFor[caller.Caller]() || m.Name == "Recheck" {
				continue
			}
			fmt.Fprint(w, strings.TrimPrefix(reflect.TypeOf(room).String(), "*"), ".", m.Name)
			for _, c := range columns {
				fmt.Fprint(w, "\t", verdict(reflect.ValueOf(room), m, c.who, home))
			}
			fmt.Fprintln(w)
		}
	}
	w.Flush()
	const file = "testdata/rights.txt"
	if *rewrite {
		if err := os.WriteFile(file, []byte(table.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), table.String()); d != "" {
		t.Errorf("who may do what has changed (-read +now); if that is right: go test ./internal/server -run TestRights -update\n%s", d)
	}
}

// verdict is "yes" if the caller gets past the method's decision, "-" if not.
func verdict(room reflect.Value, m reflect.Method, who caller.Caller, home id.Organization) (verdict string) {
	args := []reflect.Value{room, reflect.ValueOf(context.Background()), reflect.ValueOf(who)}
	for i := 3; i < m.Type.NumIn(); i++ {
		args = append(args, argument(m.Type.In(i), home))
	}
	defer func() {
		if recover() != nil {
			verdict = "yes"
		}
	}()
	out := m.Func.Call(args)
	err, _ := out[len(out)-1].Interface().(error)
	if fault.Is(err, fault.Denied) || fault.Is(err, fault.NotFound) || fault.Is(err, fault.Unauthenticated) {
		return "-"
	}
	return "yes"
}

// argument is something that a method's decision does not depend on, but for the
// organization, which is the caller's own unless the caller is a foreigner.
func argument(of reflect.Type, home id.Organization) reflect.Value {
	switch of {
	case reflect.TypeFor[id.Organization]():
		return reflect.ValueOf(home)
	case reflect.TypeFor[string]():
		return reflect.ValueOf("BCDFGHJK") // a user code
	case reflect.TypeFor[apikey.Filter]():
		return reflect.ValueOf(apikey.Filter{Limit: 1})
	case reflect.TypeFor[onboarding.Filter]():
		return reflect.ValueOf(onboarding.Filter{Limit: 1})
	}
	return reflect.Zero(of)
}
