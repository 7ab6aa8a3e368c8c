package wincred_test

import (
	"sync"
	"syscall"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/keystore/keystoretest"
	"github.com/gatehouse-dev/gatehouse/internal/keystore/vault"
	"github.com/gatehouse-dev/gatehouse/internal/keystore/wincred"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// manager answers as the Win32 functions are documented to: there is no Windows
// here to ask.
type manager struct {
	mu     sync.Mutex
	creds  map[string][]byte
	broken syscall.Errno
}

func (m *manager) Read(target string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken != 0 {
		return nil, m.broken
	}
	blob, ok := m.creds[target]
	if !ok {
		return nil, syscall.Errno(1168)
	}
	return append([]byte{}, blob...), nil
}

func (m *manager) Write(target, user string, blob []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.broken != 0:
		return m.broken
	case len(blob) > 5*512:
		return syscall.Errno(1783)
	case target == "" || len(target) > 32767 || len(user) > 513:
		return syscall.Errno(87)
	}
	m.creds[target] = append([]byte{}, blob...)
	return nil
}

func (m *manager) Delete(target string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken != 0 {
		return m.broken
	}
	if _, ok := m.creds[target]; !ok {
		return syscall.Errno(1168)
	}
	delete(m.creds, target)
	return nil
}

func TestSuite(t *testing.T) {
	t.Parallel()
	keystoretest.Run(t, func(t *testing.T) keystoretest.Backend {
		m := &manager{creds: map[string][]byte{}}
		t.Cleanup(func() { checkNothingLoose(t, m) })
		return keystoretest.Vault(func() vault.Items { return wincred.Manager{API: m} }, t.Name(), t.TempDir())
	})
}

// checkNothingLoose finds parts that no credential names: at most those that a
// damaged one has lost.
func checkNothingLoose(t *testing.T, m *manager) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.creds) > 60 {
		t.Errorf("%d credentials are left", len(m.creds))
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	for number, want := range map[syscall.Errno]fault.Kind{1312: fault.Unavailable, 5: fault.Unavailable, 1783: fault.Invalid, 87: fault.Invalid} {
		m := wincred.Manager{API: &manager{broken: number}}
		_, got := m.Get(t.Context(), "n")
		for _, err := range []error{got, m.Set(t.Context(), "n", secret.New("v")), m.Delete(t.Context(), "n")} {
			if !fault.Is(err, want) {
				t.Errorf("error %d became %v", number, err)
			}
		}
	}
}
