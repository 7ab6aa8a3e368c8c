//go:build unix

package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"

	"github.com/gatehouse-dev/gatehouse/internal/atomicfile"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

// Supported says whether this system can have an agent.
const Supported = true

// maxPath is the longest path of a socket: every Unix takes 103 bytes, and it has
// a longer name while it is made.
const maxPath = 103 - len(unready)

// unready is the ending of a socket's name until it is closed to others.
const unready = ".new"

// ours reports whether a file belongs to the user of this process.
func ours(info fs.FileInfo) bool { return ownerOf(info) == os.Geteuid() }

func ownerOf(info fs.FileInfo) int {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return -1
	}
	return int(st.Uid)
}

// privateFolder makes a folder that is this user's alone, or finds it to be so.
func privateFolder(dir string) error {
	if err := os.MkdirAll(dir, atomicfile.SecretDir); err != nil {
		return fmt.Errorf("making the agent's folder: %w", err)
	}
	info, err := os.Lstat(dir)
	switch {
	case err != nil:
		return fmt.Errorf("looking at the agent's folder: %w", err)
	case !info.IsDir():
		return unsafe(dir, "is not a folder", "rm")
	case !ours(info):
		return unsafe(dir, "belongs to another user", "ls -ld")
	case info.Mode().Perm()&0o077 != 0:
		return unsafe(dir, fmt.Sprintf("is open to others (mode %04o)", info.Mode().Perm()), "chmod 700")
	}
	return nil
}

// checkSocket says whether a socket may be spoken to. One that was found where the
// environment of another user led (sudo) is none of ours: ErrNone. named is one
// that the person named: it may be in a folder of the system, where others cannot
// replace it, and root, who is the user of most containers, may use anybody's.
func checkSocket(path string, named bool) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || !named && errors.Is(err, fs.ErrPermission):
		return ErrNone
	case err != nil:
		return fmt.Errorf("looking at the agent's socket: %w", err)
	case !named && !ours(info):
		return ErrNone
	case info.Mode()&fs.ModeSymlink != 0:
		return unsafe(path, "is a symbolic link", "rm")
	case info.Mode()&fs.ModeSocket == 0:
		return unsafe(path, "is not a socket", "rm")
	case !trusted(info, named):
		return unsafe(path, "belongs to another user", "ls -l")
	case info.Mode().Perm()&0o077 != 0:
		return unsafe(path, fmt.Sprintf("is open to others (mode %04o)", info.Mode().Perm()), "chmod 600")
	}
	return checkFolder(filepath.Dir(path), named)
}

func checkFolder(dir string, named bool) error {
	info, err := os.Lstat(dir)
	if err == nil && named && info.Mode()&fs.ModeSymlink != 0 {
		info, err = os.Stat(dir) // /var/run is a link to /run
	}
	open := fs.FileMode(0o077)
	if named {
		open = 0o022
	}
	switch {
	case err != nil:
		return fmt.Errorf("looking at the agent's folder: %w", err)
	case !named && !ours(info):
		return ErrNone
	case !info.IsDir():
		return unsafe(dir, "is not a folder", "ls -ld")
	case !trusted(info, named) && !(named && ownerOf(info) == 0):
		return unsafe(dir, "belongs to another user", "ls -ld")
	case named && info.Mode()&fs.ModeSticky != 0 && ownerOf(info) == 0:
		return nil // as /tmp: nobody else can remove or rename what is ours
	case info.Mode().Perm()&open != 0:
		return unsafe(dir, fmt.Sprintf("is open to others (mode %04o)", info.Mode().Perm()), "chmod 700")
	}
	return nil
}

func trusted(info fs.FileInfo, named bool) bool {
	return ours(info) || named && os.Geteuid() == 0
}

// unsafe is about a place that somebody else could read, change or have put there.
func unsafe(path, problem, mend string) error {
	return fault.New(fault.Invalid, "%s %s", path, problem).WithHint(mend + " " + path)
}

// listener is a socket that removes its own file, and no other, when it is closed.
type listener struct {
	*net.UnixListener
	path string
	file fs.FileInfo
}

func (l *listener) Close() error {
	if l.there() {
		_ = os.Remove(l.path) // what stays is taken over by the next agent
	}
	return l.UnixListener.Close()
}

// there reports whether the socket's file is still in its place.
func (l *listener) there() bool {
	now, err := os.Lstat(l.path)
	return err == nil && os.SameFile(l.file, now)
}

// listen opens a socket in a private folder. It has its name only when it is
// closed to others: nobody sees it open. One that was left behind is replaced: the
// caller holds the lock, so nobody answers there.
func listen(path string) (*listener, error) {
	if len(path) > maxPath {
		return nil, fault.New(fault.Invalid, "the path of the agent's socket is longer than %d bytes: %s", maxPath, path).
			WithHint("export XDG_RUNTIME_DIR=/run/user/$(id -u)")
	}
	if err := privateFolder(filepath.Dir(path)); err != nil {
		return nil, err
	}
	for _, p := range []string{path, path + unready} {
		info, err := os.Lstat(p)
		if err == nil && (info.Mode()&fs.ModeSocket == 0 || !ours(info)) {
			return nil, unsafe(p, "is in the way of the agent's socket", "rm")
		}
	}
	_ = os.Remove(path + unready)
	open, err := net.ListenUnix("unix", &net.UnixAddr{Name: path + unready, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("opening the agent's socket: %w", err)
	}
	open.SetUnlinkOnClose(false)
	l := &listener{UnixListener: open, path: path}
	if err = os.Chmod(path+unready, atomicfile.SecretFile); err == nil {
		err = os.Rename(path+unready, path)
	}
	if err == nil {
		l.file, err = os.Lstat(path)
	}
	if err != nil {
		_ = open.Close()
		return nil, fmt.Errorf("putting the agent's socket in place: %w", err)
	}
	return l, nil
}

func dial(ctx context.Context, path string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", path)
	if errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNone
	}
	if err != nil {
		return nil, fmt.Errorf("connecting to the agent: %w", err)
	}
	return conn, nil
}
