package main

import (
	"context"
	"fmt"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// A program that opens a browser either ends soon or becomes the browser; what
// fails later than this is not seen.
const openPatience = 2 * time.Second

// openBrowser returns the function that shows an address to the person. $BROWSER
// names a program of their choice.
func openBrowser(getenv func(string) string) func(context.Context, string) error {
	return func(ctx context.Context, address string) error {
		argv := browserCommand(runtime.GOOS, getenv("BROWSER"))
		cmd := exec.Command(argv[0], append(argv[1:], address)...)
		cmd.SysProcAttr = apart()
		if err := cmd.Start(); err != nil {
			return fmt.Errorf("starting %s: %w", argv[0], err)
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		timer := time.NewTimer(openPatience)
		defer timer.Stop()
		select {
		case err := <-ended:
			if err != nil {
				return fmt.Errorf("running %s: %w", argv[0], err)
			}
		case <-timer.C:
		case <-ctx.Done():
		}
		return nil
	}
}

func browserCommand(system, chosen string) []string {
	if words := strings.Fields(chosen); len(words) > 0 {
		return words
	}
	switch system {
	case "darwin":
		return []string{"open"}
	case "windows":
		return []string{"rundll32", "url.dll,FileProtocolHandler"}
	}
	return []string{"xdg-open"}
}
