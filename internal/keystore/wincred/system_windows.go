package wincred

import "github.com/danieljoos/wincred"

// System is the API of this machine.
type System struct{}

var _ API = System{}

// Read is CredRead.
func (System) Read(target string) ([]byte, error) {
	c, err := wincred.GetGenericCredential(target)
	if err != nil {
		return nil, err
	}
	return c.CredentialBlob, nil
}

// Write is CredWrite.
func (System) Write(target, user string, blob []byte) error {
	c := wincred.NewGenericCredential(target)
	c.UserName, c.CredentialBlob, c.Persist = user, blob, wincred.PersistLocalMachine
	return c.Write()
}

// Delete is CredDelete.
func (System) Delete(target string) error { return wincred.NewGenericCredential(target).Delete() }
