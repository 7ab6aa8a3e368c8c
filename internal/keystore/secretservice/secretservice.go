package secretservice

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"sync"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/keystore"
	"github.com/gatehouse-dev/gatehouse/internal/keystore/vault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/godbus/dbus/v5"
)

// Service is a Secret Service. Its methods may be called concurrently; it must
// not be copied after first use.
type Service struct {
	// Address is that of the session bus, as in DBUS_SESSION_BUS_ADDRESS; empty:
	// there is none.
	Address string

	mu      sync.Mutex
	conn    *dbus.Conn
	hangUp  context.CancelFunc // ends conn
	session dbus.ObjectPath
}

var _ vault.Items = (*Service)(nil)

// FindBus returns the address of this user's session bus, or "". get reads the
// environment.
func FindBus(get func(string) string) string {
	if address := get("DBUS_SESSION_BUS_ADDRESS"); address != "" {
		return address
	}
	runtime := get("XDG_RUNTIME_DIR")
	if runtime == "" {
		return ""
	}
	bus := filepath.Join(runtime, "bus")
	if info, err := os.Stat(bus); err != nil || info.Mode()&os.ModeSocket == 0 {
		return ""
	}
	return "unix:path=" + dbus.EscapeBusAddressValue(bus)
}

const (
	bus        = "org.freedesktop.secrets"
	root       = dbus.ObjectPath("/org/freedesktop/secrets")
	service    = "org.freedesktop.Secret.Service."
	collection = "org.freedesktop.Secret.Collection."
	item       = "org.freedesktop.Secret.Item."
	noObject   = dbus.ObjectPath("/")

	// limit keeps a message far below what a bus passes on.
	limit = 96 << 10
)

// value is the Secret of the specification.
type value struct {
	Session     dbus.ObjectPath
	Parameters  []byte
	Value       []byte
	ContentType string
}

func attributes(name string) map[string]string {
	return map[string]string{"service": "gatehouse", "name": name}
}

// Kind is keystore.SecretService.
func (s *Service) Kind() string { return keystore.SecretService }

// Limit is 96 KiB.
func (s *Service) Limit() int { return limit }

// Where names the item as keyring programs show it.
func (s *Service) Where(name string) string {
	return `the item "` + label(name) + `" in the default keyring`
}

func label(name string) string { return "Gatehouse: " + name }

// Get returns an item's value.
func (s *Service) Get(ctx context.Context, name string) (secret.Text, error) {
	bus, err := s.open(ctx)
	if err != nil {
		return secret.Text{}, err
	}
	found, err := bus.search(ctx, name)
	if err != nil {
		return secret.Text{}, err
	}
	if found == noObject {
		if _, err := bus.unlocked(ctx); err != nil {
			return secret.Text{}, err
		}
		return secret.Text{}, fault.New(fault.NotFound, "no credential is stored")
	}
	var v value
	if err := bus.call(ctx, found, item+"GetSecret", bus.session).Store(&v); err != nil {
		if isGone(err) {
			return secret.Text{}, fault.New(fault.NotFound, "no credential is stored")
		}
		return secret.Text{}, explain(err)
	}
	return secret.New(string(v.Value)), nil
}

// Set makes or replaces an item in the default collection.
func (s *Service) Set(ctx context.Context, name string, text secret.Text) error {
	bus, err := s.open(ctx)
	if err != nil {
		return err
	}
	where, err := bus.unlocked(ctx)
	if err != nil {
		return err
	}
	properties := map[string]dbus.Variant{
		item + "Label":      dbus.MakeVariant(label(name)),
		item + "Attributes": dbus.MakeVariant(attributes(name)),
	}
	var made, prompt dbus.ObjectPath
	v := value{bus.session, []byte{}, []byte(text.Reveal()), "text/plain"}
	if err := bus.call(ctx, where, collection+"CreateItem", properties, v, true).Store(&made, &prompt); err != nil {
		return explain(err)
	}
	return bus.refuse(ctx, prompt)
}

// Delete removes an item.
func (s *Service) Delete(ctx context.Context, name string) error {
	bus, err := s.open(ctx)
	if err != nil {
		return err
	}
	found, err := bus.search(ctx, name)
	if err != nil {
		return err
	}
	if found == noObject {
		_, err := bus.unlocked(ctx) // what is locked away is not gone
		return err
	}
	var prompt dbus.ObjectPath
	if err := bus.call(ctx, found, item+"Delete").Store(&prompt); err != nil && !isGone(err) {
		return explain(err)
	}
	return bus.refuse(ctx, prompt)
}

// talk is an open session.
type talk struct {
	conn    *dbus.Conn
	session dbus.ObjectPath
}

// open connects once and stays connected for as long as the bus does.
func (s *Service) open(ctx context.Context) (talk, error) {
	if s.Address == "" {
		return talk{}, fault.New(fault.Unsupported, "there is no session bus, so no keyring can be asked").WithHint("gatehouse storage list")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil && s.conn.Connected() {
		return talk{s.conn, s.session}, nil
	}
	conn, hangUp, err := connect(ctx, s.Address)
	if err != nil {
		return talk{}, err
	}
	t := talk{conn: conn}
	var ignored dbus.Variant
	if err := t.call(ctx, root, service+"OpenSession", "plain", dbus.MakeVariant("")).Store(&ignored, &t.session); err != nil {
		hangUp()
		return talk{}, explain(err)
	}
	if s.hangUp != nil {
		s.hangUp()
	}
	s.conn, s.hangUp, s.session = conn, hangUp, t.session
	return t, nil
}

// Close hangs up. The next call connects again.
func (s *Service) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hangUp != nil {
		s.hangUp()
	}
	s.conn, s.hangUp = nil, nil
}

// connect gives up with ctx, also in the middle of a handshake that nobody
// answers: only closing the connection ends a read.
func connect(ctx context.Context, address string) (*dbus.Conn, context.CancelFunc, error) {
	type result struct {
		conn *dbus.Conn
		err  error
	}
	done := make(chan result, 1)
	life, hangUp := context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		conn, err := dbus.Connect(address, dbus.WithContext(life))
		done <- result{conn, err}
	}()
	var r result
	select {
	case r = <-done:
	case <-ctx.Done():
		r.err = ctx.Err()
	}
	if r.err != nil {
		hangUp()
		return nil, nil, explain(r.err)
	}
	return r.conn, hangUp, nil
}

// call hangs up when the connection itself fails: its reader may be slower to
// see that the bus is gone, and the next call would be sent into it too.
func (t talk) call(ctx context.Context, path dbus.ObjectPath, method string, args ...any) *dbus.Call {
	answer := t.conn.Object(bus, path).CallWithContext(ctx, method, 0, args...)
	if _, broken := errors.AsType[*net.OpError](answer.Err); broken {
		_ = t.conn.Close() // there is nobody left to take leave of
	}
	return answer
}

// search returns an item that can be read, or noObject. It fails if the item is
// in a locked collection.
func (t talk) search(ctx context.Context, name string) (dbus.ObjectPath, error) {
	var open, locked []dbus.ObjectPath
	if err := t.call(ctx, root, service+"SearchItems", attributes(name)).Store(&open, &locked); err != nil {
		return noObject, explain(err)
	}
	switch {
	case len(open) > 0:
		return open[0], nil
	case len(locked) > 0:
		return noObject, errLocked
	}
	return noObject, nil
}

// unlocked returns the default collection, if it can be used.
func (t talk) unlocked(ctx context.Context) (dbus.ObjectPath, error) {
	var path dbus.ObjectPath
	if err := t.call(ctx, root, service+"ReadAlias", "default").Store(&path); err != nil {
		return noObject, explain(err)
	}
	if path == noObject {
		return noObject, fault.New(fault.Unsupported, "there is no default keyring").WithHint("gatehouse storage list")
	}
	var locked dbus.Variant
	if err := t.call(ctx, path, "org.freedesktop.DBus.Properties.Get", "org.freedesktop.Secret.Collection", "Locked").Store(&locked); err != nil {
		return noObject, explain(err)
	}
	if is, ok := locked.Value().(bool); !ok || is {
		return noObject, errLocked
	}
	return path, nil
}

// refuse turns a wish to ask the person into an error, and takes the question
// back.
func (t talk) refuse(ctx context.Context, prompt dbus.ObjectPath) error {
	if prompt == noObject || prompt == "" {
		return nil
	}
	_ = t.call(ctx, prompt, "org.freedesktop.Secret.Prompt.Dismiss").Err
	return errLocked
}

var errLocked = fault.New(fault.Unavailable, "the keyring is locked").WithHint("gnome-keyring-daemon --unlock")

// isGone says that an item was removed between two calls.
func isGone(err error) bool {
	e, ok := errors.AsType[dbus.Error](err)
	return ok && (e.Name == "org.freedesktop.Secret.Error.NoSuchObject" || e.Name == "org.freedesktop.DBus.Error.UnknownObject" ||
		e.Name == "org.freedesktop.DBus.Error.UnknownMethod")
}

// explain gives an error of D-Bus its kind.
func explain(err error) error {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return fault.Wrap(fault.Unavailable, err, "the keyring did not answer in time").WithHint("gatehouse storage list")
	}
	e, ok := errors.AsType[dbus.Error](err)
	if !ok {
		return fault.New(fault.Unavailable, "the keyring cannot be asked: %w", err).WithHint("gatehouse storage list")
	}
	switch e.Name {
	case "org.freedesktop.DBus.Error.ServiceUnknown", "org.freedesktop.DBus.Error.NameHasNoOwner", "org.freedesktop.DBus.Error.Spawn.ServiceNotFound",
		"org.freedesktop.DBus.Error.Spawn.ExecFailed", "org.freedesktop.DBus.Error.Spawn.ChildExited":
		return fault.Wrap(fault.Unsupported, err, "no keyring (GNOME Keyring, or KWallet with its Secret Service switched on) is on the session bus").WithHint("gatehouse storage list")
	case "org.freedesktop.Secret.Error.IsLocked":
		return errLocked
	case "org.freedesktop.DBus.Error.NoReply", "org.freedesktop.DBus.Error.Timeout", "org.freedesktop.DBus.Error.TimedOut", "org.freedesktop.DBus.Error.Disconnected":
		return fault.Wrap(fault.Unavailable, err, "the keyring does not answer").WithHint("gatehouse storage list")
	}
	return fault.New(fault.Unavailable, "the keyring refuses: %s", e.Name).WithHint("gatehouse storage list")
}
