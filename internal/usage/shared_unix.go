//go:build unix

package usage

import (
	"os"

	"golang.org/x/sys/unix"
)

// share maps a file's first bytes into memory, so that what is stored there
// outlives the process. It is never unmapped: a straggler may still store there
// when the ledger has been closed.
func share(file *os.File, size int) ([]byte, error) {
	return unix.Mmap(int(file.Fd()), 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
}

// syncData makes a file's contents durable. Its size was fixed when it was made.
func syncData(file *os.File) error {
	for {
		if err := fdatasync(int(file.Fd())); err != unix.EINTR {
			return err
		}
	}
}
