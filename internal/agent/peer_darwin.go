package agent

import (
	"fmt"
	"net"

	"golang.org/x/sys/unix"
)

// peer is the user at the other end, as the kernel saw them connect.
func peer(conn *net.UnixConn) (uid int, err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return -1, fmt.Errorf("looking at the other end: %w", err)
	}
	var cred *unix.Xucred
	var asked error
	err = raw.Control(func(fd uintptr) { cred, asked = unix.GetsockoptXucred(int(fd), unix.SOL_LOCAL, unix.LOCAL_PEERCRED) })
	if err == nil {
		err = asked
	}
	if err != nil {
		return -1, fmt.Errorf("asking who is at the other end: %w", err)
	}
	return int(cred.Uid), nil
}
