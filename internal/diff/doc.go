// Package diff shows how a text becomes another, as a unified diff with three
// lines of context (the form of diff -u), for a person to read before a file is
// changed.
//
// It must never grow with the square of a large file: beyond a bound the middle
// is shown as replaced whole.
package diff
