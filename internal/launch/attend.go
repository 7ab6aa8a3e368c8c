package launch

import "os"

// Ended is how a program ended.
type Ended struct {
	// Code is its exit code, or 128 and the number of the signal that ended it.
	Code int
	// Signal is what ended it; nil if it ended by itself.
	Signal os.Signal
}
