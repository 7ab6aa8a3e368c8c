package qrcode_test

import (
	"strings"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/qrcode"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/terminal"
	"github.com/hinshun/vt10x"
)

// What is drawn on a terminal of any colours is read again by a decoder that
// sees nothing but the screen.
func TestADecoderReadsTheScreen(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"https://gate.example.com/device?user_code=WDJB-MJHT", "x", "12345", strings.Repeat("https://", 50)} {
		p, err := qrcode.Draw(text)
		if err != nil {
			t.Fatal(err)
		}
		screen := vt10x.New(vt10x.WithSize(140, 80))
		if _, err := screen.Write([]byte(strings.Join(p.Lines, "\r\n"))); err != nil {
			t.Fatal(err)
		}
		got, err := terminal.ReadQR(screen)
		if err != nil || got != text {
			t.Errorf("%q is read as %q, %v", text, got, err)
		}
	}
}

func TestWhatIsNotDrawn(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", strings.Repeat("x", 401)} {
		if _, err := qrcode.Draw(text); err == nil {
			t.Errorf("%d bytes are drawn", len(text))
		}
	}
}

func TestBeside(t *testing.T) {
	t.Parallel()
	p, err := qrcode.Draw("https://gate.example.com/device?user_code=WDJB-MJHT")
	if err != nil {
		t.Fatal(err)
	}
	text := []string{"To sign in, open", "https://gate.example.com/device"}
	if lines, ok := p.Beside(text, p.Width+2+len(text[1])); !ok || !strings.Contains(strings.Join(lines, "\n"), "\x1b[0m  "+text[1]+"\n") {
		t.Errorf("%q", lines)
	}
	if _, ok := p.Beside(text, p.Width+1+len(text[1])); ok {
		t.Error("it does not fit, and is drawn")
	}
	if _, ok := p.Beside(make([]string, len(p.Lines)+1), 1000); ok {
		t.Error("the text is higher than the picture")
	}
}
