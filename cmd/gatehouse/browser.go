package main

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/gatehouse-dev/gatehouse/internal/login"
)

// A program that opens a browser either ends soon or becomes the browser; what
// fails later than this is not seen.
const openPatience = 5 * time.Second

// openBrowser returns the function that shows an address to the person. $BROWSER
// names a program of their choice. One that does not end is left alone, and said
// not to have come back: it may be the browser, or hang.
func openBrowser(getenv func(string) string, lookPath func(string) (string, error), patience time.Duration) func(context.Context, string, bool) error {
	return func(ctx context.Context, address string, wsl bool) error {
		argv := browserCommand(runtime.GOOS, getenv("BROWSER"), wsl, lookPath, address)
		cmd := exec.Command(argv[0], argv[1:]...)
		cmd.SysProcAttr = apart()
		if err := cmd.Start(); err != nil {
			return fmt.Errorf("starting %s: %w", argv[0], err)
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		timer := time.NewTimer(patience)
		defer timer.Stop()
		select {
		case err := <-ended:
			if err != nil {
				return fmt.Errorf("running %s: %w", argv[0], err)
			}
		case <-timer.C:
			return fmt.Errorf("%s has not come back after %s, and may hang", argv[0], patience)
		case <-ctx.Done():
		}
		return nil
	}
}

// browserCommand is the program that opens an address, with its arguments. No
// shell reads the address: "&" stands in every one.
func browserCommand(system, chosen string, wsl bool, lookPath func(string) (string, error), address string) []string {
	if words := strings.Fields(chosen); len(words) > 0 {
		return append(words, address)
	}
	switch {
	case system == "darwin":
		return []string{"open", address}
	case system == "windows":
		return []string{"rundll32", "url.dll,FileProtocolHandler", address}
	case wsl:
		for _, program := range login.WindowsOpeners {
			if path, err := lookPath(program); err == nil {
				return windowsCommand(path, address)
			}
		}
	}
	return []string{"xdg-open", address}
}

// windowsCommand opens an address in Windows from WSL. PowerShell gets its
// command encoded, because what stands between us and it splits and joins words
// by rules of its own.
func windowsCommand(program, address string) []string {
	switch filepath.Base(program) {
	case "powershell.exe":
		script := "Start-Process '" + strings.ReplaceAll(address, "'", "''") + "'"
		return []string{program, "-NoProfile", "-NonInteractive", "-EncodedCommand", encodedCommand(script)}
	case "rundll32.exe":
		return []string{program, "url.dll,FileProtocolHandler", address}
	}
	return []string{program, address}
}

// encodedCommand is base64 of UTF-16, little end first, as -EncodedCommand wants.
func encodedCommand(script string) string {
	var b []byte
	for _, unit := range utf16.Encode([]rune(script)) {
		b = binary.LittleEndian.AppendUint16(b, unit)
	}
	return base64.StdEncoding.EncodeToString(b)
}
