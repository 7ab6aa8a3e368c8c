//go:build unix

package subprocess_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/subprocess"
)

func TestRun(t *testing.T) {
	t.Parallel()
	var shown bytes.Buffer
	r, err := subprocess.Run(t.Context(), subprocess.Command{Shell: "echo out; echo complaint >&2; exit 7", Show: &shown})
	if err != nil || string(r.Stdout) != "out\n" || r.Complaint() != "complaint" || r.Exit != 7 || !strings.Contains(shown.String(), "out") || !strings.Contains(shown.String(), "complaint") {
		t.Errorf("%+v, %q, %v", r, shown.String(), err)
	}
	if _, err := subprocess.Run(t.Context(), subprocess.Command{Argv: []string{"no-such-program-here"}}); !fault.Is(err, fault.NotFound) {
		t.Errorf("no program: %v", err)
	}
	if _, err := subprocess.Run(t.Context(), subprocess.Command{}); err == nil {
		t.Error("nothing was run")
	}
	if r, err := subprocess.Run(t.Context(), subprocess.Command{Argv: []string{"yes"}, MaxStdout: 10}); err != nil || !r.Flooded || len(r.Stdout) != 10 {
		t.Errorf("a flood: %+v, %v", r, err)
	}
	if r, err := subprocess.Run(t.Context(), subprocess.Command{Shell: "yes no | head -c 1000000 >&2; echo the end >&2"}); err != nil || len(r.Stderr) > 4<<10 || !strings.HasSuffix(r.Complaint(), "the end") {
		t.Errorf("complaints: %d bytes, %v", len(r.Stderr), err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := subprocess.Run(ctx, subprocess.Command{Shell: "sleep 1000"}); !fault.Is(err, fault.Unavailable) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestComplaintsSteerNoTerminal(t *testing.T) {
	t.Parallel()
	r := subprocess.Result{Stdout: []byte("canary!word"), Stderr: []byte("\x1b[31mred\r\nsaid canary!word\x00\xff")}
	if got := r.Complaint(); strings.ContainsAny(got, "\x1b\r\n\x00") || strings.Contains(got, "canary") || !strings.Contains(got, "red said [redacted]") {
		t.Errorf("%q", got)
	}
}
