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
	text := plainCode(client.Server.Origin, code)
	if qr {
		text = m.withQR(code, text)
	}
	m.say("%s\nWaiting until it is confirmed …", strings.Join(text, "\n"))
	return client.AwaitDevice(ctx, code)
}

func plainCode(origin string, code login.DeviceCode) []string {
	text := []string{"To sign in at " + origin + ", open", "  " + code.URL, "and enter the code", "  " + code.UserCode}
	if code.Complete != "" {
		text = append(text, "or open", "  "+code.Complete)
	}
	return text
}

// withQR adds a QR code to the text, at its left or below, if the screen shows
// one: it is large enough, and has the characters and colours. It fits a screen
// of 80 by 24 with an address of usual length.
func (m *Main) withQR(code login.DeviceCode, text []string) []string {
	columns, rows := m.Screen()
	if code.Complete == "" || columns == 0 || !m.drawsQR() {
		return text
	}
	picture, err := qrcode.Draw(code.Complete)
	if err != nil || picture.Width > columns {
		return text
	}
	const around = 3 // the reason, the wait, and the line of the cursor
	height := func(lines []string) (n int) {
		for _, l := range lines {
			n += 1 + (len(l)-1)/columns
		}
		return n
	}
	last := []string{"or open " + code.Complete}
	short := []string{"To sign in, open", "  " + code.URL, "and enter the code", "  " + code.UserCode, "or point a phone's camera here"}
	if beside, ok := picture.Beside(short, columns); ok && len(beside)+height(last)+around <= rows {
		return append(beside, last...)
	}
	if len(picture.Lines)+height(text)+1+around <= rows {
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
