package login

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

func TestAPastedAnswer(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, text string // REDIRECT stands for the redirect's address
		want       string // the code, or a part of the error
	}{
		{"the whole address", "REDIRECT?code=the-code&state=the-state&iss=https%3A%2F%2Fgate.example.com", "the-code"},
		{"with blanks around", "  REDIRECT?code=the-code&state=the-state&iss=https://gate.example.com\r\n", "the-code"},
		{"marked as pasted", "\x1b[200~REDIRECT?code=the-code&state=the-state&iss=https://gate.example.com\x1b[201~", "the-code"},
		{"with a fragment", "REDIRECT?code=the-code&state=the-state&iss=https://gate.example.com#_=_", "the-code"},
		{"code and state", "the-code#the-state", "the-code"},
		{"a denial", "REDIRECT?error=access_denied&state=the-state&iss=https://gate.example.com", "denied"},
		{"another issuer", "REDIRECT?code=c&state=the-state&iss=https://evil.example.com", "another server"},
		{"no issuer", "REDIRECT?code=c&state=the-state", "another server"},
		{"nothing", "", "nor CODE#STATE"},
		{"a code alone", "the-code", "nor CODE#STATE"},
		{"no code", "#the-state", "nor CODE#STATE"},
		{"another state", "the-code#guess", "does not belong"},
		{"an empty state", "REDIRECT?code=c&state=", "does not belong"},
		{"another port", "http://127.0.0.1:1/callback?code=c&state=the-state", "does not belong"},
		{"another host", "http://evil.example.com/callback?code=c&state=the-state", "nor CODE#STATE"},
		{"another path", "REDIRECT/x?code=c&state=the-state", "does not belong"},
		{"twice", "REDIRECT?code=c&code=d&state=the-state", "nor CODE#STATE"},
		{"a control sequence", "the-code#the-state\x1b]0;x\x07", "nor CODE#STATE"},
		{"two lines", "the-code#the\nstate", "nor CODE#STATE"},
		{"no end", strings.Repeat("a", maxPaste+1), "nor CODE#STATE"},
		{"a long code", strings.Repeat("a", maxCode+1) + "#the-state", "nor CODE#STATE"},
	} {
		c := listening(t)
		r, err := c.paste(secret.New(strings.ReplaceAll(tt.text, "REDIRECT", c.redirect)))
		if err == nil {
			err = r.err
		}
		if err != nil && strings.Contains(fault.Message(err), tt.want) || err == nil && r.code.Reveal() == tt.want {
			continue
		}
		t.Errorf("%s: %v", tt.name, err)
	}
}

// The second answer is none, also where the first came the other way.
func TestAnAnswerIsTakenOnce(t *testing.T) {
	t.Parallel()
	c := listening(t)
	if _, err := c.paste(secret.New("the-code#the-state")); err != nil {
		t.Fatal(err)
	}
	if _, err := c.paste(secret.New("the-code#the-state")); err != errPasteUsed {
		t.Errorf("%v", err)
	}
	if status, _, _ := c.visit(t, "GET", answerPath, nil); status != 410 {
		t.Errorf("the listener answers %d", status)
	}
}

// What is refused is said, and the wait goes on.
func TestPastingWhileWaiting(t *testing.T) {
	t.Parallel()
	pasted := make(chan secret.Text, 3)
	var refused []error
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err := client(func(_ *http.Request, form url.Values) string {
		if form.Get("code") != "the-code" {
			t.Errorf("sent %v", form)
		}
		return goodPair
	}).Browser(ctx, Device{}, Hands{Pasted: pasted, Refused: func(err error) { refused = append(refused, err) }, Show: func(address string) {
		u, err := url.Parse(address)
		if err != nil {
			t.Error(err)
		}
		pasted <- secret.New("nonsense")
		pasted <- secret.New("the-code#guess")
		pasted <- secret.New("the-code#" + u.Query().Get("state"))
	}})
	if err != nil || len(refused) != 2 || refused[0] != errPasteForm || refused[1] != errPasteOther {
		t.Errorf("%v after %v", err, refused)
	}
}

func FuzzPaste(f *testing.F) {
	const redirect = "http://127.0.0.1:4242/callback"
	for _, seed := range []string{"", "a#b", redirect + "?code=c&state=s", "\x1b[200~a#b\x1b[201~", redirect + "?%zz", "a#b#c"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		answer, whole, err := parsePaste(text, redirect)
		if err != nil {
			return
		}
		if !single(answer) || len(text) > maxPaste || whole && !strings.Contains(text, redirect+"?") {
			t.Errorf("%q became %v", text, answer)
		}
		if !whole && (!token(answer.Get("code")) || !token(answer.Get("state"))) {
			t.Errorf("%q became %v", text, answer)
		}
	})
}
