// Package terminal runs a program in a terminal and reads its screen.
//
// The program gets a real pseudo-terminal. What it draws goes through a
// terminal emulator, so that a test sees the same text as a person: cursor
// moves, colours and redrawn lines are done, not guessed at. Questions that a
// program asks its terminal are answered by the emulator.
//
// A test types keys and waits for text, with a deadline; nothing waits for time
// to pass. Not for Windows.
package terminal
