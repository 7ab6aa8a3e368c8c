package wincred

import "github.com/danieljoos/wincred"

// Here is the API of this machine; nil: it has none.
func Here() API { return system{} }

type system struct{}

func (system) Read(target string) ([]byte, error) {
	c, err := wincred.GetGenericCredential(target)
	if err != nil {
		return nil, err
	}
	return c.CredentialBlob, nil
}

func (system) Write(target, user string, blob []byte) error {
	c := wincred.NewGenericCredential(target)
	c.UserName, c.CredentialBlob, c.Persist = user, blob, wincred.PersistLocalMachine
	return c.Write()
}

func (system) Delete(target string) error { return wincred.NewGenericCredential(target).Delete() }
