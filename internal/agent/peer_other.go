//go:build unix && !linux && !darwin

package agent

import (
	"errors"
	"net"
)

// peer is not known on this system: nobody is answered.
func peer(*net.UnixConn) (uid int, err error) {
	return -1, errors.New("this system does not say who is at the other end")
}
