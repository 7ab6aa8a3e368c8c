//go:build unix

package settingsfile

import (
	"io/fs"
	"os"
	"syscall"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

// owned refuses the file of somebody else: replacing it would change its owner,
// and what it says is not this person's word. What root owns is everybody's to
// read.
func owned(path string, info fs.FileInfo) error {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || int(st.Uid) == os.Geteuid() || st.Uid == 0 {
		return nil
	}
	return fault.New(fault.Conflict, "%s belongs to another user", path).WithHint("ls -l " + path)
}
