package gatehoused_test

import (
	"net/http"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/testkit/gatehoused"
)

// status asks the server for its models with a key.
func status(t *testing.T, d *gatehoused.Demo) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, d.URL+"/v1/models", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("x-api-key", d.Member.APIKey)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	return answer.StatusCode
}

func TestAServerThatWasKilledComesBackOnItsData(t *testing.T) {
	t.Parallel()
	d := gatehoused.Start(t, gatehoused.Options{})
	t.Logf("ready after %s", d.Took)
	if got := status(t, d); got != http.StatusOK {
		t.Fatalf("status %d", got)
	}
	d.Restart()
	if got := status(t, d); got != http.StatusOK {
		t.Errorf("after kill -9 and a start on the same data: status %d", got)
	}
	if got := d.Stop(); got != 0 {
		t.Errorf("SIGTERM: exit %d", got)
	}
}

func TestTheMembersProgramSaysItsVersion(t *testing.T) {
	t.Parallel()
	ran := gatehoused.Run(t, t.TempDir(), nil, "version")
	if ran.Exit != 0 || ran.Stdout == "" {
		t.Errorf("%+v", ran)
	}
}
