package doctor

import (
	"context"

	"github.com/gatehouse-dev/gatehouse/internal/claudecode"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

// request asks a model for one token, as Claude Code would through the door.
func (e *Examination) request(ctx context.Context) Finding {
	token, err := e.Token(ctx)
	if err != nil {
		return fail("not_renewed", "gatehouse token"+e.Profile.Flag(), "%s", message(err)).foreign()
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
