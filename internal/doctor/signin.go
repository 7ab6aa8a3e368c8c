package doctor

import (
	"context"
	"errors"
	"os"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/atomicfile"
	"github.com/gatehouse-dev/gatehouse/internal/checkup"
	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

func (e *Examination) logIn() string {
	if e.Server != "" {
		return "gatehouse login --server " + e.Server + e.Profile.Flag()
	}
	return "gatehouse login" + e.Profile.Flag()
}

func (e *Examination) store(ctx context.Context) Finding {
	_, err := e.Load(ctx)
	if err == nil || fault.Is(err, fault.NotFound) {
		if _, err = e.Recall(); fault.Is(err, fault.NotFound) {
			err = nil
		}
	}
	if err == nil {
		return ok("what is stored is readable by you alone")
	}
	if unsafe, is := errors.AsType[*atomicfile.UnsafeError](err); is && strings.HasPrefix(unsafe.Mend, "chmod") {
		return fail(checkup.Exposed, unsafe.Mend, "%s", message(err)).fixedBy("take others' rights from "+unsafe.Path, func(context.Context) error {
			return os.Chmod(unsafe.Path, atomicfile.SecretFile)
		})
	}
	return fail(checkup.Unreadable, hint(err, "gatehouse login"+e.Profile.Flag()), "%s", message(err))
}

func (e *Examination) signIn(ctx context.Context) Finding {
	known, err := e.Recall()
	pair := credential.Pair{}
	if err == nil {
		pair, err = e.Load(ctx)
	}
	if err != nil {
		return fail(checkup.SignedOut, e.logIn(), "nobody is signed in here")
	}
	claims, err := credential.ReadClaims(pair.Access)
	if err != nil || claims.Name == "" && claims.Email == "" {
		return ok("signed in at %s", known.Origin)
	}
	who := claims.Email
	if claims.Name != "" && who != "" {
		who = claims.Name + " <" + who + ">"
	} else if who == "" {
		who = claims.Name
	}
	return ok("signed in at %s as %s", known.Origin, who).foreign()
}

// life asks for a token as every program does: one that is about to end is
// renewed on the way, which shows that it can be.
func (e *Examination) life(ctx context.Context) Finding {
	before, err := e.Load(ctx)
	if err == nil {
		_, err = e.Token(ctx)
	}
	switch {
	case fault.Is(err, fault.Unauthenticated) || fault.Is(err, fault.NotFound):
		return fail(checkup.Ended, e.logIn(), "the sign-in has ended at the server")
	case err != nil:
		return fail("not_renewed", "gatehouse token"+e.Profile.Flag(), "%s", message(err)).foreign()
	}
	after, err := e.Load(ctx)
	if err != nil || after.Expires.IsZero() {
		return ok("the server gives tokens")
	}
	left := after.Expires.Sub(e.Now()).Round(time.Second)
	if !after.Expires.Equal(before.Expires) {
		return ok("the access token was renewed just now, and is good for %s", left)
	}
	return ok("the access token is good for %s, and is renewed by itself", left)
}
