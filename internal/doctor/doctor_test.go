package doctor_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/checkup"
	"github.com/gatehouse-dev/gatehouse/internal/doctor"
	"github.com/google/go-cmp/cmp"
)

type fake struct {
	name  string
	needs []string
	state checkup.State
	run   func(ctx context.Context)
	ran   *[]string
}

func (f fake) Name() string    { return f.name }
func (f fake) Title() string   { return "T " + f.name }
func (f fake) Needs() []string { return f.needs }
func (f fake) Run(ctx context.Context) doctor.Finding {
	if f.ran != nil {
		*f.ran = append(*f.ran, f.name)
	}
	if f.run != nil {
		f.run(ctx)
	}
	return doctor.Finding{Check: checkup.Check{State: f.state, Items: []string{"b", "a", "b"}}, Says: "said"}
}

// What needs something that failed is not made, however far away the cause is.
func TestTheTreeStopsAtCauses(t *testing.T) {
	t.Parallel()
	var ran []string
	findings := doctor.Examine(t.Context(), []doctor.Check{
		fake{"root", nil, checkup.Fail, nil, &ran},
		fake{"child", []string{"root"}, checkup.Fail, nil, &ran},
		fake{"grandchild", []string{"child"}, checkup.Fail, nil, &ran},
		fake{"other", nil, checkup.Warn, nil, &ran},
		fake{"after a warning", []string{"other"}, checkup.OK, nil, &ran},
		fake{"of two", []string{"other", "grandchild"}, checkup.OK, nil, &ran},
	})
	if d := cmp.Diff([]string{"root", "other", "after a warning"}, ran); d != "" {
		t.Error(d)
	}
	for i, want := range []checkup.State{checkup.Fail, doctor.Skip, doctor.Skip, checkup.Warn, checkup.OK, doctor.Skip} {
		f := findings[i]
		if f.State != want || want == doctor.Skip && (f.Because != "root" || f.Says != "Not checked, because T root failed") || want != doctor.Skip && f.Says != "Said" {
			t.Errorf("%+v", f)
		}
	}
	if got := doctor.Failed(findings); len(got) != 1 {
		t.Errorf("failed: %+v", got)
	}
	if d := cmp.Diff([]string{"a", "b"}, findings[0].Items); d != "" {
		t.Error(d)
	}
}

// The server is told of the checks that it knows, in states that it knows.
func TestReport(t *testing.T) {
	t.Parallel()
	findings := doctor.Examine(t.Context(), []doctor.Check{
		fake{checkup.SignIn, nil, checkup.Fail, nil, nil}, fake{doctor.Door, nil, checkup.Fail, nil, nil},
		fake{checkup.System, nil, checkup.OK, nil, nil}, fake{checkup.Clock, []string{checkup.SignIn}, checkup.OK, nil, nil},
	})
	got := doctor.Report(findings)
	if len(got) != 2 || got[0].Name != checkup.System || got[1].Name != checkup.SignIn {
		t.Errorf("%+v", got)
	}
}

// A check that never ends keeps nobody.
func TestAHangingCheckIsLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		began := time.Now()
		findings := doctor.Examine(t.Context(), []doctor.Check{
			fake{"hangs", nil, checkup.OK, func(context.Context) { <-release }, nil},
			fake{"gives up", nil, checkup.Warn, func(ctx context.Context) { <-ctx.Done() }, nil},
		})
		if f := findings[0]; f.State != checkup.Fail || f.Code != doctor.TimedOut {
			t.Errorf("%+v", f)
		}
		if f := findings[1]; f.State != checkup.Warn {
			t.Errorf("%+v", f)
		}
		if took := time.Since(began); took > 3*doctor.Patience {
			t.Errorf("took %s", took)
		}
	})
}
