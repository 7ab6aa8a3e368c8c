//go:build !unix

package main

import "syscall"

// apart changes nothing here: programs are started apart as it is.
func apart() *syscall.SysProcAttr { return nil }
