package choice_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/keystore"
	"github.com/gatehouse-dev/gatehouse/internal/keystore/choice"
)

func yes(context.Context) error { return nil }
func no(context.Context) error  { return fault.New(fault.Unavailable, "the keyring is locked") }

func candidates(keyring, sealed func(context.Context) error) []choice.Candidate {
	return []choice.Candidate{{keystore.SecretService, keyring}, {keystore.Sealed, sealed}, {Kind: keystore.File}}
}

func TestChoose(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		keyring, sealed func(context.Context) error
		wanted, kind    string
		why             string // part of the reason, or of the error
	}{
		{yes, yes, "", keystore.SecretService, "the first that can be used"},
		{no, yes, "", keystore.Sealed, "secret-service: the keyring is locked"},
		{no, no, "", "", "--storage file"},
		{no, no, "", "", "--storage sealed"},
		{yes, yes, keystore.File, keystore.File, "named by --storage"},
		{no, no, keystore.File, keystore.File, "named by --storage"},
		{no, yes, keystore.SecretService, "", "the storage secret-service cannot be used: the keyring is locked"},
		{yes, yes, "floppy", "", "no storage of this system (secret-service, sealed, file)"},
	} {
		got, err := choice.Choose(choice.Survey(t.Context(), candidates(tt.keyring, tt.sealed)), tt.wanted, "--storage")
		said := got.Why
		if err != nil {
			said = err.Error()
		}
		if got.Kind != tt.kind || (err == nil) != (tt.kind != "") || !strings.Contains(said, tt.why) {
			t.Errorf("%+v: %+v, %v", tt, got, err)
		}
	}
}

// First stops at the first that can be used, and never comes to a file.
func TestFirst(t *testing.T) {
	t.Parallel()
	never := func(context.Context) error { t.Error("it was asked"); return nil }
	if got := choice.First(t.Context(), candidates(yes, never)); len(got) != 1 {
		t.Errorf("%+v", got)
	}
	if got := choice.First(t.Context(), candidates(no, no)); len(got) != 2 || got[1].Usable {
		t.Errorf("%+v", got)
	}
}

func TestEachHasTwoSeconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		hangs := func(context.Context) error { <-release; return nil }
		begin := time.Now()
		got := choice.Survey(t.Context(), candidates(hangs, hangs))
		if time.Since(begin) != keystore.Patience || got[0].Usable || got[1].Usable || !got[2].Usable || !strings.Contains(got[0].Why, "2s") {
			t.Errorf("after %s: %+v", time.Since(begin), got)
		}
		close(release)
	})
}
