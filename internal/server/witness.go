package server

import (
	"context"
	"errors"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/apikey"
	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/id"
)

// witness collects the proof that credentials stopped, and has it stored at once:
// when one that was taken back had last been accepted here, and when one that
// ended was first refused. It is asked on the way of requests that are refused,
// and never of those that are let in.
type witness struct {
	wake chan struct{}

	mu       sync.Mutex
	accepted map[string]apikey.Use // :: id of key or session → its last acceptance
	refused  map[string]time.Time  // :: id of key or session → its first refusal
}

// mostWitnessed bounds what is remembered of each sort until it is stored: what
// does not fit is told again by the next refusal.
const mostWitnessed = 4096

func newWitness() *witness {
	return &witness{wake: make(chan struct{}, 1), accepted: map[string]apikey.Use{}, refused: map[string]time.Time{}}
}

// Refused makes it an apikey.Witness and a session.Witness.
func (w *witness) Refused(credential string, at time.Time) {
	w.mu.Lock()
	w.refuse(credential, at)
	w.mu.Unlock()
	w.tell()
}

// ended is the keeper's Ended.
func (w *witness) ended(who caller.Caller, used time.Time) {
	w.mu.Lock()
	w.accept(who, used)
	w.mu.Unlock()
	w.tell()
}

// late is the keeper's Late.
func (w *witness) late(who caller.Caller, used, at time.Time) {
	w.mu.Lock()
	w.accept(who, used) // or the refusal might be stored first, and prove nothing
	w.refuse(nameOf(who), at)
	w.mu.Unlock()
	w.tell()
}

// accept notes an acceptance. The witness is locked.
func (w *witness) accept(who caller.Caller, used time.Time) {
	credential := nameOf(who)
	if last, known := w.accepted[credential]; known || len(w.accepted) < mostWitnessed {
		if last.At.Before(used) {
			w.accepted[credential] = apikey.Use{At: used, Address: who.Address}
		}
	}
}

// refuse notes a refusal. The witness is locked.
func (w *witness) refuse(credential string, at time.Time) {
	if _, known := w.refused[credential]; !known && len(w.refused) < mostWitnessed {
		w.refused[credential] = at
	}
}

func nameOf(who caller.Caller) string {
	if who.Key != "" {
		return string(who.Key)
	}
	return string(who.Session)
}

func (w *witness) tell() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *witness) take() (accepted map[string]apikey.Use, refused map[string]time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	accepted, refused = w.accepted, w.refused
	w.accepted, w.refused = map[string]apikey.Use{}, map[string]time.Time{}
	return accepted, refused
}

// putBack keeps what could not be stored, for the next time.
func (w *witness) putBack(accepted map[string]apikey.Use, refused map[string]time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.accepted)+len(accepted) <= mostWitnessed {
		maps.Copy(accepted, w.accepted)
		w.accepted = accepted
	}
	if len(w.refused)+len(refused) <= mostWitnessed {
		maps.Copy(w.refused, refused) // the earlier ones win
	}
}

// testify stores what the witness has seen, as soon as it has.
func (s *Server) testify(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			s.report("keeping the proof of what was refused", s.writeDown(context.WithoutCancel(ctx)))
			return
		case <-s.witness.wake:
			if err := s.writeDown(ctx); err != nil {
				s.report("keeping the proof of what was refused", err)
				select { // the database is away: no haste
				case <-ctx.Done():
				case <-time.After(time.Second):
					s.witness.tell()
				}
			}
		}
	}
}

func (s *Server) writeDown(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	accepted, refused := s.witness.take()
	keys, sessions := map[id.APIKey]apikey.Use{}, map[id.DeviceSession]time.Time{}
	for credential, use := range accepted {
		if strings.HasPrefix(credential, "apikey_") {
			keys[id.APIKey(credential)] = use
		} else {
			sessions[id.DeviceSession(credential)] = use.At
		}
	}
	noKeys, noSessions := map[id.APIKey]time.Time{}, map[id.DeviceSession]time.Time{}
	for credential, at := range refused {
		if strings.HasPrefix(credential, "apikey_") {
			noKeys[id.APIKey(credential)] = at
		} else {
			noSessions[id.DeviceSession(credential)] = at
		}
	}
	// The last acceptance first: a refusal before it would prove nothing.
	err := errors.Join(s.rooms.Keys.Touch(ctx, keys), s.rooms.Sessions.Touch(ctx, sessions))
	if err == nil {
		err = errors.Join(s.rooms.Keys.Refuse(ctx, noKeys), s.rooms.Sessions.Refuse(ctx, noSessions))
	}
	if err != nil {
		s.witness.putBack(accepted, refused)
	}
	return err
}
