package access_test

import (
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/access"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
)

var decided error

// TestADecisionAllocatesNothing is about what is asked on every request: may
// they, yes.
func TestADecisionAllocatesNothing(t *testing.T) {
	who := caller.Caller{Kind: caller.Member, Organization: home, Member: "user_a", Role: "developer", Rights: access.Developer.Rights()}
	for what, decide := range map[string]func(){
		"Check":         func() { decided = access.Check(who, caller.UseModels, home) },
		"CheckGive":     func() { decided = access.CheckGive(who, caller.UseModels, caller.RightsOf(caller.UseModels), home) },
		"role's rights": func() { decided = nil; _ = access.Developer.Rights() },
	} {
		if n := testing.AllocsPerRun(100, decide); n > 0 || decided != nil {
			t.Errorf("%s: %v allocations, %v", what, n, decided)
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	who := caller.Caller{Kind: caller.Member, Organization: home, Member: "user_a", Role: "developer", Rights: access.Developer.Rights()}
	b.ReportAllocs()
	for b.Loop() {
		decided = access.Check(who, caller.UseModels, home)
	}
}
