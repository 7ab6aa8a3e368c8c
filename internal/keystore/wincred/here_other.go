//go:build !windows

package wincred

// Here is the API of this machine; nil: it has none.
func Here() API { return nil }
