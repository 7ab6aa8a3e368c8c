package screenlock

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/godbus/dbus/v5"
)

// Buses are the addresses of the message buses. An empty one is not there.
type Buses struct{ Session, System string }

var savers = []string{"org.freedesktop.ScreenSaver", "org.gnome.ScreenSaver"}

const (
	// backlog is how many signals may wait.
	backlog = 64
	// patience is for whoever is asked whether the screen is locked now.
	patience = 2 * time.Second
)

const logind = "org.freedesktop.login1.Session"

// Watch calls changed whenever the screen is locked or unlocked, and ready once
// when it listens; if the screen is locked by then, changed comes first. It returns when ctx ends or the session bus is gone, and fails with
// Unsupported if there is none.
func Watch(ctx context.Context, buses Buses, ready func(), changed func(locked bool)) error {
	// A connection closes its channel at its end: each has one of its own.
	saver, login := make(chan *dbus.Signal, backlog), make(chan *dbus.Signal, backlog)
	session, err := listen(ctx, buses.Session, saver, savers, "ActiveChanged")
	if err != nil {
		return fault.New(fault.Unsupported, "nothing here tells when the screen is locked: %w", err).WithHint("gatehouse agent")
	}
	defer session.Close()
	if system, err := listen(ctx, buses.System, login, []string{logind}, "Lock"); err == nil {
		defer system.Close()
	}
	if isLocked(ctx, session) {
		changed(true)
	}
	ready()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case s, ok := <-saver:
			if !ok {
				return fault.New(fault.Unavailable, "the session bus is gone")
			}
			if locked, known := read(s); known {
				changed(locked)
			}
		case s, ok := <-login:
			if !ok {
				login = nil
			} else if locked, known := read(s); known {
				changed(locked)
			}
		}
	}
}

func listen(ctx context.Context, address string, signals chan *dbus.Signal, interfaces []string, member string) (*dbus.Conn, error) {
	if address == "" {
		return nil, fmt.Errorf("there is no bus")
	}
	conn, err := dbus.Connect(address, dbus.WithContext(ctx))
	if err != nil {
		return nil, fmt.Errorf("connecting to the bus: %w", err)
	}
	for _, name := range interfaces {
		if err := conn.AddMatchSignalContext(ctx, dbus.WithMatchInterface(name), dbus.WithMatchMember(member)); err != nil {
			_ = conn.Close()
			return nil, fmt.Errorf("listening on the bus: %w", err)
		}
	}
	conn.Signal(signals)
	return conn, nil
}

// isLocked asks those who know. Nobody is started for it.
func isLocked(ctx context.Context, conn *dbus.Conn) bool {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for _, name := range savers {
		path := dbus.ObjectPath("/" + strings.ReplaceAll(name, ".", "/"))
		var locked bool
		if err := conn.Object(name, path).CallWithContext(ctx, name+".GetActive", dbus.FlagNoAutoStart).Store(&locked); err == nil && locked {
			return true
		}
	}
	return false
}

func read(s *dbus.Signal) (locked, known bool) {
	if s == nil {
		return false, false
	}
	if s.Name == logind+".Lock" {
		return true, true
	}
	for _, name := range savers {
		if s.Name == name+".ActiveChanged" && len(s.Body) == 1 {
			locked, known = s.Body[0].(bool)
			return locked, known
		}
	}
	return false, false
}
