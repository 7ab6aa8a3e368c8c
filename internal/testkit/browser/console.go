package browser

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
)

type consoleKey struct{}

// console keeps what a tab complained about.
type console struct {
	mu     sync.Mutex
	errors []string
}

// hear runs inside the loop that reads the browser's messages: it only notes.
func (c *console) hear(event any) {
	var text string
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		if e.Type != runtime.ConsoleAPICalledTypeError {
			return
		}
		text = "console.error: " + arguments(e.Args)
	case *runtime.EventExceptionThrown:
		text = "exception: " + e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			text += " " + e.ExceptionDetails.Exception.Description
		}
	case *log.EventEntryAdded:
		if e.Entry.Level != log.EntryLevelError {
			return
		}
		text = fmt.Sprintf("%s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL)
	default:
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.errors = append(c.errors, strings.TrimSpace(text))
}

func arguments(args []*runtime.RemoteObject) string {
	parts := make([]string, 0, len(args))
	for _, arg := range args {
		if len(arg.Value) > 0 {
			parts = append(parts, string(arg.Value))
			continue
		}
		parts = append(parts, arg.Description)
	}
	return strings.Join(parts, " ")
}

// Errors returns what the tab of ctx wrote to the console as an error so far:
// console.error calls, uncaught exceptions, blocked content, failed loads (a
// page answered with 400 or more is one; its line begins with "network:").
func Errors(ctx context.Context) []string {
	c, ok := ctx.Value(consoleKey{}).(*console)
	if !ok {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.errors...)
}

// NoErrors fails the test for each console error so far.
func NoErrors(t testing.TB, ctx context.Context) {
	t.Helper()
	for _, text := range Errors(ctx) {
		t.Errorf("the console says: %s", text)
	}
}
