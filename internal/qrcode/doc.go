// Package qrcode draws QR codes (ISO/IEC 18004) in a terminal.
//
// Two modules stand in one character, as its upper and its lower half. Both
// colours are set, from the fixed part of the 256 colours, and the quiet zone is
// drawn: the code is dark on light whatever the terminal's own colours are.
//
// It must never draw what is secret: a screen is seen by others.
package qrcode
