package terminal

import (
	"errors"
	"image"
	"image/color"

	"github.com/hinshun/vt10x"
	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
)

// ReadQR reads the QR code on a screen, as a camera would: from colours alone.
// What stands on the terminal's own background is grey and no part of a code.
func ReadQR(screen vt10x.View) (string, error) {
	const scale = 4
	columns, rows := screen.Size()
	picture := image.NewGray(image.Rect(0, 0, columns*scale, rows*2*scale))
	seen := false
	for y := range rows {
		for x := range columns {
			cell := screen.Cell(x, y)
			upper, lower := cell.BG, cell.BG
			if cell.Char == '▀' {
				upper, seen = cell.FG, true
			}
			fill(picture, x*scale, 2*y*scale, scale, grey(upper))
			fill(picture, x*scale, (2*y+1)*scale, scale, grey(lower))
		}
	}
	if !seen {
		return "", errors.New("there is no QR code on the screen")
	}
	bitmap, err := gozxing.NewBinaryBitmapFromImage(picture)
	if err != nil {
		return "", err
	}
	result, err := qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true})
	if err != nil {
		return "", err
	}
	return result.GetText(), nil
}

// grey is the light of a colour of the terminal. Only the fixed black and white
// are known for sure: everything else is in between.
func grey(c vt10x.Color) uint8 {
	switch c {
	case 16:
		return 0
	case 231:
		return 255
	}
	return 128
}

func fill(picture *image.Gray, x, y, size int, light uint8) {
	for dy := range size {
		for dx := range size {
			picture.SetGray(x+dx, y+dy, color.Gray{Y: light})
		}
	}
}

// ReadQR reads the QR code that the screen shows now.
func (x *Terminal) ReadQR() (string, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return ReadQR(x.screen)
}
