package main

import (
	"context"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/login"
	"github.com/gatehouse-dev/gatehouse/internal/qrcode"
)

// byCode shows a code that is confirmed in a browser anywhere.
func (m *Main) byCode(ctx context.Context, client *login.Client, device login.Device, qr bool) (credential.Pair, error) {
	code, err := client.StartDevice(ctx, device)
	if err != nil {
		return credential.Pair{}, err
	}
	text := []string{"To sign in at " + client.Server.Origin + ", open", "  " + code.URL, "and enter the code", "  " + code.UserCode}
	if code.Complete != "" {
		text = append(text, "or open", "  "+code.Complete)
	}
	if qr {
		text = m.withQR(code.Complete, text)
	}
	m.say("%s\nWaiting until it is confirmed …", strings.Join(text, "\n"))
	return client.AwaitDevice(ctx, code)
}

// withQR adds a QR code to lines, beside them or below, if the screen shows one:
// it is large enough, and has the characters and colours.
func (m *Main) withQR(address string, text []string) []string {
	columns, rows := m.Screen()
	if address == "" || columns == 0 || !m.drawsQR() {
		return text
	}
	picture, err := qrcode.Draw(address)
	if err != nil || picture.Width > columns {
		return text
	}
	if lines, ok := picture.Beside(append(text, "or point a phone's camera here"), columns); ok && len(lines)+3 <= rows {
		return lines
	}
	if len(picture.Lines)+len(text)+4 <= rows {
		return append(append(text, "or point a phone's camera here:"), picture.Lines...)
	}
	return text
}

// drawsQR reports whether the terminal shows half blocks in colours of ours.
func (m *Main) drawsQR() bool {
	if m.Getenv("NO_COLOR") != "" || m.Getenv("TERM") == "dumb" {
		return false
	}
	if m.System == "windows" { // the console of old shows the sequences themselves
		return m.Getenv("WT_SESSION") != ""
	}
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if locale := strings.ToUpper(m.Getenv(name)); locale != "" {
			_, charset, named := strings.Cut(locale, ".")
			return !named || strings.HasPrefix(charset, "UTF-8") || strings.HasPrefix(charset, "UTF8")
		}
	}
	return m.Getenv("TERM") != ""
}
