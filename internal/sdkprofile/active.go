package sdkprofile

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/atomicfile"
)

const maxName = 256

// Active is the name of the profile that the SDKs use where ANTHROPIC_PROFILE
// names none; "" if none is chosen, or the choice cannot be read.
func (f Folder) Active() string {
	file, err := os.Open(f.active())
	if err != nil {
		return ""
	}
	defer file.Close()
	b, err := io.ReadAll(io.LimitReader(file, maxName))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// SetActive chooses the profile of that name, whosever it is; "" chooses none.
func (f Folder) SetActive(name string) error {
	err := error(nil)
	if name == "" {
		err = atomicfile.Remove(f.active())
	} else {
		err = atomicfile.Replace(f.active(), []byte(name+"\n"), atomicfile.PublicDir, atomicfile.PublicFile)
	}
	if err != nil {
		return fmt.Errorf("choosing the profile of the SDKs: %w", err)
	}
	return nil
}

// OwnsActive reports whether the chosen profile is one of a client.
func (f Folder) OwnsActive(clientID string) bool {
	name := f.Active()
	if name == "" || name != filepath.Base(name) {
		return false
	}
	there, err := f.read(filepath.Join(string(f), "configs", name+".json"))
	return err == nil && there.ClientID == clientID
}

func (f Folder) active() string { return filepath.Join(string(f), "active_config") }
