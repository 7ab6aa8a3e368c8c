package sourcetest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/source"
)

// mode is how the world behaves.
type mode string

const (
	well      mode = "all is well"
	soon      mode = "it ends in half a minute"
	gone      mode = "it ended an hour ago"
	hangs     mode = "nothing is answered"
	floods    mode = "there is no end to the answer"
	redirects mode = "the answer points elsewhere"
	html      mode = "the answer is a page"
	empty     mode = "the answer is empty"
	broken    mode = "the answer is half of one"
	refuses   mode = "it is refused"
	fails     mode = "the other side fails"
)

func (m mode) left() time.Duration {
	switch m {
	case soon:
		return 30 * time.Second
	case gone:
		return -time.Hour
	}
	return time.Hour
}

// Remote is how a source reaches what it asks.
type Remote int

// What is asked.
const (
	Nothing  Remote = iota // files and the environment hold it all
	Endpoint               // a token endpoint
	Metadata               // an endpoint that is not there on most machines
	Program                // a command
)

// Case is one way to a credential.
type Case struct {
	Name   string
	Kind   source.Kind
	Scheme source.Scheme
	Origin string // part of the origin
	Payer  string // part of the payer
	Remote Remote
	// Endless says that nobody tells when it ends.
	Endless bool
	// Unseen says that Find cannot know of it, because only the network does.
	Unseen bool
	// Refusal is what a refusal is told as, where signing in again would not help;
	// zero is Unauthenticated.
	Refusal fault.Kind
	// New sets the world up, with a credential that lives for left, and returns
	// the source and the secret that it hands out.
	New func(w *World, left time.Duration) (s source.Source, want string)
}

// Run runs the suite over the cases.
func Run(t *testing.T, cases ...Case) {
	for _, c := range cases {
		modes := []mode{well}
		if !c.Endless {
			modes = append(modes, soon, gone)
		}
		switch c.Remote {
		case Endpoint, Metadata:
			modes = append(modes, hangs, floods, redirects, html, empty, broken, refuses, fails)
		case Program:
			modes = append(modes, hangs, floods, html, empty, refuses, fails)
			if !c.Endless { // half of a bare token looks like a token
				modes = append(modes, broken)
			}
		}
		for _, m := range modes {
			t.Run(c.Name+"/"+string(m), func(t *testing.T) {
				t.Parallel()
				c.run(t, newWorld(t, m))
			})
		}
	}
}

func (c Case) run(t *testing.T, w *World) {
	s, want := c.New(w, w.mode.left())
	about, found := s.Find(context.Background())
	if found == c.Unseen {
		t.Errorf("Find says %v", found)
	}
	clean(t, "Find", fmt.Sprintf("%+v", about))
	if w.asked.Load() != 0 {
		t.Error("Find uses the network")
	}
	got, err := s.Credential(context.Background())
	clean(t, "what is printed of the credential", fmt.Sprintf("%+v %v", got.About, got.Value))
	if w.elsewhere.Load() != 0 {
		t.Error("a redirect was followed")
	}
	if w.mode == well {
		c.good(t, got, want, err)
		return
	}
	if err == nil {
		t.Fatalf("a credential was handed out")
	}
	if !got.Value.Empty() || !got.Keys.Secret.Empty() {
		t.Error("an error came with a credential")
	}
	clean(t, "the error", err.Error())
	clean(t, "the error", fmt.Sprintf("%#v", err))
	if kinds := c.kinds(w.mode); !slices.Contains(kinds, fault.KindOf(err)) {
		t.Errorf("%v (%s), want one of %v", err, fault.KindOf(err), kinds)
	}
}

func (c Case) good(t *testing.T, got source.Credential, want string, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	secret := got.Value
	if c.Scheme == source.SigV4 {
		secret = got.Keys.Secret
	}
	if secret.Reveal() != want {
		t.Error("it hands out another secret")
	}
	if got.Kind != c.Kind || got.Scheme != c.Scheme || !strings.Contains(got.Origin, c.Origin) || !strings.Contains(got.Payer, c.Payer) || got.Payer == "" || got.Origin == "" {
		t.Errorf("it says %+v, %s", got.About, got.Scheme)
	}
	end := Now().Add(well.left())
	if c.Endless {
		end = time.Time{}
	}
	if !got.Expires.Equal(end) {
		t.Errorf("it ends at %s", got.Expires)
	}
}

// kinds are the faults that a mode may be told as.
func (c Case) kinds(m mode) []fault.Kind {
	switch m {
	case gone: // an answer that says so makes no sense
		return []fault.Kind{fault.Unauthenticated, fault.Unavailable}
	case soon:
		return []fault.Kind{fault.Unauthenticated}
	case hangs, fails:
		if c.Remote == Metadata {
			return []fault.Kind{fault.NotFound, fault.Unavailable, fault.Timeout}
		}
		if m == hangs {
			return []fault.Kind{fault.Timeout}
		}
		return []fault.Kind{fault.Unavailable, fault.Unauthenticated}
	case refuses:
		if c.Remote == Metadata {
			return []fault.Kind{fault.Unauthenticated, fault.NotFound}
		}
		return []fault.Kind{cmp.Or(c.Refusal, fault.Unauthenticated)}
	}
	return []fault.Kind{fault.Invalid, fault.Unavailable, fault.NotFound}
}

func clean(t *testing.T, what, text string) {
	t.Helper()
	if strings.Contains(text, Canary) {
		t.Errorf("%s shows a secret: %s", what, text)
	}
}
