package wincred

import (
	"context"
	"errors"
	"syscall"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/keystore"
	"github.com/gatehouse-dev/gatehouse/internal/keystore/vault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// API is what is used of the Win32 functions CredRead, CredWrite and
// CredDelete, for generic credentials. They fail with the system's error numbers.
type API interface {
	Read(target string) (blob []byte, err error)
	Write(target, user string, blob []byte) error
	Delete(target string) error
}

// Manager is the Credential Manager. Its methods may be called concurrently, if
// those of API may.
type Manager struct {
	API API // required; see Here
}

var _ vault.Items = Manager{}

// The errors of the API that mean something (winerror.h).
const (
	errNotFound       = syscall.Errno(1168) // ERROR_NOT_FOUND
	errNoLogonSession = syscall.Errno(1312) // ERROR_NO_SUCH_LOGON_SESSION: a network logon, as by SSH
	errBadStubData    = syscall.Errno(1783) // RPC_X_BAD_STUB_DATA: too large
	errInvalid        = syscall.Errno(87)   // ERROR_INVALID_PARAMETER

	limit = 2560
)

// Kind is keystore.WinCred.
func (m Manager) Kind() string { return keystore.WinCred }

// Limit is 2,560 bytes.
func (m Manager) Limit() int { return limit }

// Where names the item as the Credential Manager shows it.
func (m Manager) Where(name string) string {
	return `the generic credential "` + target(name) + `" in the Credential Manager`
}

func target(name string) string { return "Gatehouse: " + name }

// Get returns an item's value.
func (m Manager) Get(_ context.Context, name string) (secret.Text, error) {
	blob, err := m.API.Read(target(name))
	if err != nil {
		return secret.Text{}, explain(err)
	}
	return secret.New(string(blob)), nil
}

// Set makes or replaces an item.
func (m Manager) Set(_ context.Context, name string, value secret.Text) error {
	if err := m.API.Write(target(name), "gatehouse", []byte(value.Reveal())); err != nil {
		return explain(err)
	}
	return nil
}

// Delete removes an item.
func (m Manager) Delete(_ context.Context, name string) error {
	err := m.API.Delete(target(name))
	if err == nil || errors.Is(err, errNotFound) {
		return nil
	}
	return explain(err)
}

func explain(err error) error {
	switch {
	case errors.Is(err, errNotFound):
		return fault.New(fault.NotFound, "no credential is stored")
	case errors.Is(err, errNoLogonSession):
		return fault.New(fault.Unavailable, "the Credential Manager cannot be used in this kind of session (over SSH, for instance)").WithHint("gatehouse storage list")
	case errors.Is(err, errBadStubData), errors.Is(err, errInvalid):
		return fault.New(fault.Invalid, "the value is larger than the Credential Manager takes")
	}
	return fault.New(fault.Unavailable, "the Credential Manager refuses: %w", err).WithHint("gatehouse storage list")
}
