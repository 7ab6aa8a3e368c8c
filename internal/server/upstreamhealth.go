package server

import (
	"errors"
	"slices"

	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/gateway"
	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/upstream"
	"github.com/gatehouse-dev/gatehouse/internal/upstream/lease"
)

// Health implements upstream.Watcher, from the routes in use.
func (d *directory) Health(o id.Organization) map[string]upstream.Health {
	known, route := d.known(caller.OfSystem(o))
	if known == nil {
		return nil
	}
	all := map[string]upstream.Health{}
	for _, u := range route.Upstreams {
		all[u.Name()] = credentialOf(u)
	}
	for _, circuit := range route.Health.States() {
		h, known := all[circuit.Upstream]
		if !known {
			continue
		}
		h.Failed += circuit.Failed
		if circuit.Open {
			h.Resting = append(h.Resting, circuit.Model)
			if h.Until.IsZero() || circuit.Until.Before(h.Until) {
				h.Until = circuit.Until
			}
		}
		slices.Sort(h.Resting)
		all[circuit.Upstream] = h
	}
	return all
}

// credentialOf says how what an upstream proves itself with stands.
func credentialOf(u gateway.Upstream) (h upstream.Health) {
	held, ok := u.(interface{ Status() lease.Status })
	if !ok {
		return h
	}
	status := held.Status()
	h.Expires = status.Expires
	if status.Err != nil {
		h.Problem = "no new credential could be had" // what a cloud said names what is this server's own
		if f, ok := errors.AsType[*fault.Error](status.Err); ok {
			h.Problem = f.Message
		}
	}
	return h
}
