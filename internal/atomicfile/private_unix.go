//go:build unix

package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// O_NONBLOCK keeps a named pipe, planted where a file is expected, from holding us.
func openNoFollow(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if errors.Is(err, syscall.ELOOP) {
		return nil, unsafe(path, "is a symbolic link", "rm")
	}
	return f, err
}

func checkPrivate(path string, info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return unsafe(path, "is not a regular file", "rm")
	}
	if info.Mode().Perm()&0o077 != 0 {
		return unsafe(path, fmt.Sprintf("is open to others (mode %04o)", info.Mode().Perm()), "chmod 600")
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && int(st.Uid) != os.Geteuid() {
		return unsafe(path, "belongs to another user", "ls -l")
	}
	return nil
}
