package doctor

import (
	"context"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/claudecode"
	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// request asks a model for one token, through the door: the helper is run as
// Claude Code runs it, and its token goes where Claude Code sends it.
func (e *Examination) request(ctx context.Context) Finding {
	token, err := e.credential(ctx)
	if err != nil {
		return fail("no_credential", "gatehouse token"+e.Profile.Flag(), "%s", message(err)).foreign()
	}
	known, err := e.Recall()
	if err != nil {
		return fail("signed_out", e.logIn(), "nobody is signed in here")
	}
	if known.Origin != e.Server { // a token goes to no server but the one that gave it
		return ok("not made: the sign-in is of another server than the one that is named")
	}
	model, err := e.Client.Probe(ctx, known.Origin, token, e.doorOrHelper() == claudecode.Helper)
	again := "gatehouse doctor" + e.Profile.Flag()
	switch {
	case err == nil:
		return ok("a real request was answered by %s", model).foreign()
	case fault.Is(err, fault.Unauthenticated):
		return fail("refused", e.logIn(), "the server does not take the sign-in for a request: %s", message(err)).foreign()
	case fault.Is(err, fault.Denied), fault.Is(err, fault.Billing):
		return fail("denied", again, "the server does not allow a request: %s", message(err)).foreign()
	case fault.Is(err, fault.RateLimited):
		return warn("limited", again, "the server wants requests to wait: %s", message(err)).foreign()
	case fault.Is(err, fault.Unsupported):
		return warn("no_model", again, "the server offers no model to you, so no request was made")
	}
	return fail("unanswered", again, "a real request was not answered: %s", message(err)).foreign()
}

// credential is what the door gives Claude Code.
func (e *Examination) credential(ctx context.Context) (secret.Text, error) {
	if e.helper == "" {
		return e.Token(ctx)
	}
	shell := []string{"/bin/sh", "-c"}
	if e.System == "windows" {
		shell = []string{"cmd", "/c"}
	}
	out, err := e.Output(ctx, shell[0], shell[1], e.helper)
	if err != nil { // what it says is its own, and may be secret
		return secret.Text{}, fault.New(fault.Unavailable, "the helper in the settings of Claude Code fails")
	}
	token := secret.New(strings.TrimSpace(out))
	if !credential.Printable(token) {
		return secret.Text{}, fault.New(fault.Invalid, "the helper in the settings of Claude Code prints something else than one token")
	}
	return token, nil
}
