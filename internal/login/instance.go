package login

import (
	"context"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

// OtherServer is the code of a fault that says: another server answers under the
// name of the one that a sign-in belongs to.
const OtherServer = "other_server"

// Same fails with the code OtherServer if now is another server than s under the
// same name: with Unauthenticated if it says so, and with Unavailable if it does
// not say which one it is any more, as a node with an older version does in the
// middle of an upgrade. A server is known by its instance, which stays when keys,
// certificates, addresses and versions change. Where none was remembered nothing
// is known.
func (s Server) Same(now Server) error {
	if s.Instance == "" || s.Instance == now.Instance {
		return nil
	}
	kind, is, calls := fault.Unauthenticated, "is", "calls itself "+now.Instance
	if now.Instance == "" {
		kind, is, calls = fault.Unavailable, "may be", "does not say which one it is"
	}
	return fault.New(kind, "%s %s another server than the one that this sign-in belongs to: that was %s, and this one %s; nothing of the sign-in was sent to it", s.Origin, is, s.Instance, calls).
		Coded(OtherServer)
}

// confirm asks a server which one it is before a refresh token goes there. It
// fails with Unavailable where that cannot be found out: nobody is signed out by
// a network that answers in the server's place.
func (c *Client) confirm(ctx context.Context) error {
	if c.Server.Instance == "" {
		return nil
	}
	now, err := c.Discover(ctx, c.Server.Origin)
	if err == nil {
		return c.Server.Same(now)
	}
	if fault.Is(err, fault.Invalid) {
		return fault.Wrap(fault.Unavailable, err, fault.Message(err))
	}
	return err
}
