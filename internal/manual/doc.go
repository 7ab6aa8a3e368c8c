// Package manual writes manual pages: man(7) macros, as troff and mandoc read
// them. A Page is made of what a command says of itself, so that its help and
// its page cannot differ.
package manual
