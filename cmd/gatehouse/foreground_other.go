//go:build !unix

package main

// foreground is always so here.
func foreground(int) bool { return true }
