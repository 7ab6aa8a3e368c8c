//go:build unix

package main

import "syscall"

// apart keeps the browser running when the person interrupts this command.
func apart() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
