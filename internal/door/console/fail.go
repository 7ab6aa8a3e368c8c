package console

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/door/envelope"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

// failure is what the error page says.
type failure struct {
	Title   string // empty: what goes with the status
	Message string
	Hint    string
	Ours    bool // our own fault: the request id helps whoever looks for it
	Back    *link
}

var failureTitles = map[int]string{
	http.StatusBadRequest:            "That did not work",
	http.StatusForbidden:             "That is not open to you",
	http.StatusNotFound:              "There is nothing here",
	http.StatusMethodNotAllowed:      "That is not how this page is used",
	http.StatusConflict:              "That is not possible any more",
	http.StatusRequestEntityTooLarge: "That is too large",
	http.StatusTooManyRequests:       "Too many tries",
	http.StatusServiceUnavailable:    "The server cannot answer just now",
}

// fail answers with an error page, and writes down what the visitor is not told.
func (v *visit) fail(err error) {
	if errors.Is(err, errAnswered) {
		return
	}
	status := envelope.Status(err)
	told, f := tell(err), fault.KindOf(err)
	if f == fault.Internal || (f == fault.Unavailable && errors.Unwrap(err) != nil) {
		told.Ours = true
		v.c.cfg.Logger.LogAttrs(context.WithoutCancel(v.r.Context()), slog.LevelError, "a page failed",
			slog.String("request_id", string(v.id)), slog.String("route", v.pattern), slog.String("error", err.Error()))
	}
	v.retryAfter(err)
	v.failWith(status, told)
}

// tell is what a visitor may know of an error.
func tell(err error) failure {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Kind == fault.Internal {
		return failure{Message: "Something went wrong on this server. Nothing is wrong with what you did.", Hint: "Try again in a moment."}
	}
	return failure{Message: sentence(f.Message), Hint: sentence(f.Hint)}
}

func (v *visit) failWith(status int, told failure) {
	title := cmp.Or(told.Title, failureTitles[status], "Something went wrong here")
	if v.who.Kind != caller.Nobody {
		told.Back = &link{"/", "Go to the home page"}
	} else {
		told.Back = &link{"/sign-in", "Go to the sign-in page"}
	}
	err := v.show(status, "failure", view{Title: title, Card: true, Body: struct {
		failure
		ID string
	}{told, string(v.id)}})
	if err != nil { // the page itself is broken
		v.c.cfg.Logger.Error("an error page failed", slog.String("request_id", string(v.id)), slog.String("error", err.Error()))
		http.Error(v.w, "Something went wrong on this server. Request: "+string(v.id), http.StatusInternalServerError)
	}
}

func (v *visit) retryAfter(err error) {
	if f, ok := errors.AsType[*fault.Error](err); ok && f.RetryAfter > 0 {
		v.w.Header().Set("Retry-After", strconv.Itoa(int((f.RetryAfter+time.Second-1)/time.Second)))
	}
}

// nowhere answers for paths that nobody serves. Programs get what programs read.
func nowhere(_ *Console, v *visit) error {
	err := fault.New(fault.NotFound, "there is nothing at this path")
	if strings.Contains(v.r.Header.Get("Accept"), "text/html") {
		return err
	}
	envelope.Write(v.w, string(v.id), err)
	return errAnswered
}

func wrongMethod(_ *Console, v *visit) error {
	v.failWith(http.StatusMethodNotAllowed, failure{Message: "This address does not take " + v.r.Method + " requests."})
	return errAnswered
}
