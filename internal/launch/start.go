package launch

import "os"

// Program is what is started.
type Program struct {
	Path string   // of the file
	Args []string // with the name at the front
	Env  []string // all of it, "NAME=value" each
	// The terminal, for systems on which a program cannot take our place.
	Stdin, Stdout, Stderr *os.File
}
