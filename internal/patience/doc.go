// Package patience bounds how long something may take, by a clock that is passed
// in: the command waits for real, a test says when the time is over.
//
// It must never look at a clock of its own.
package patience
