//go:build unix

package agent

import (
	"context"
	"errors"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

// answerPatience is how long an answer is waited for. The agent itself gives up
// a renewal earlier.
const answerPatience = requestPatience + 5*time.Second

// Ask sends one request to the agent at a socket and returns what it answers; an
// error that it answers is returned as one. named is a socket that the person
// named, instead of one that was found. It fails with ErrNone if nobody is there,
// and Invalid, before a word is said, if the place is not safe.
func Ask(ctx context.Context, socket string, named bool, r Request) (Answer, error) {
	if err := checkSocket(socket, named); err != nil {
		return Answer{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, answerPatience)
	defer cancel()
	conn, err := dial(ctx, socket)
	if err != nil {
		return Answer{}, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	a, err := exchange(conn, r)
	switch {
	case errors.Is(err, errNothing) || errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET):
		return Answer{}, ErrNone // it ended, or what is at the other end of a forwarded socket did
	case errors.Is(err, os.ErrDeadlineExceeded):
		return Answer{}, fault.New(fault.Unavailable, "the agent does not answer").WithHint("gatehouse agent stop")
	case err != nil:
		return Answer{}, err
	}
	return a, a.Err
}

func exchange(conn net.Conn, r Request) (Answer, error) {
	if err := writeRequest(conn, r); err != nil {
		return Answer{}, err
	}
	return readAnswer(conn)
}
