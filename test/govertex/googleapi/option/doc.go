// Package option has the one option that is used.
package option
