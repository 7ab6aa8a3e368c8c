//go:build !unix

package usage

import "os"

// share returns plain memory where files cannot be mapped: a request that is
// lost is then settled without its progress.
func share(_ *os.File, size int) ([]byte, error) { return make([]byte, size), nil }

func syncData(file *os.File) error { return file.Sync() }
