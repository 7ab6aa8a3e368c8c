package exchange

import (
	"encoding/json"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/atomicfile"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/source"
)

// keptFor is how long a kept credential must still hold to be handed out again. The
// clouds' tools ask for another one when theirs has about as long.
const keptFor = 5 * time.Minute

const maxKept = 64 << 10

// Kept is a credential that waits for the next tool that asks, in a file which does
// not outlast the machine's session. All fields are required.
type Kept struct {
	Path string // in a folder in memory
	Of   string // whose it is: what was kept for somebody else is not handed out
	Now  func() time.Time
}

type keptFile struct {
	Of      string        `json:"of"`
	Kind    source.Kind   `json:"kind"`
	Origin  string        `json:"origin"`
	Payer   string        `json:"payer"`
	Expires time.Time     `json:"expires"`
	Scheme  source.Scheme `json:"scheme"`
	Value   string        `json:"value,omitempty"`
	KeyID   string        `json:"key_id,omitempty"`
	Key     string        `json:"key,omitempty"`
	Session string        `json:"session,omitempty"`
}

// Load returns what is kept, if it holds for another few minutes. A file that
// cannot be read, or that others could have written, is none.
func (k Kept) Load() (source.Credential, bool) {
	b, err := atomicfile.ReadPrivate(k.Path, maxKept)
	var f keptFile
	if err != nil || json.Unmarshal(b, &f) != nil || f.Of != k.Of || f.Expires.Sub(k.Now()) < keptFor {
		return source.Credential{}, false
	}
	c := source.Credential{About: source.About{Kind: f.Kind, Origin: f.Origin, Payer: f.Payer, Expires: f.Expires}, Scheme: f.Scheme, Value: secret.New(f.Value)}
	if f.Scheme == source.SigV4 {
		c.Keys = source.Keys{ID: f.KeyID, Secret: secret.New(f.Key), Session: secret.New(f.Session)}
	}
	return c, c.Value.Empty() == (f.Scheme == source.SigV4) && (f.Scheme != source.SigV4 || f.KeyID != "" && f.Key != "" && f.Session != "")
}

// Save keeps a credential in place of the one before.
func (k Kept) Save(c source.Credential) error {
	b, err := json.Marshal(keptFile{Of: k.Of, Kind: c.Kind, Origin: c.Origin, Payer: c.Payer, Expires: c.Expires, Scheme: c.Scheme,
		Value: c.Value.Reveal(), KeyID: c.Keys.ID, Key: c.Keys.Secret.Reveal(), Session: c.Keys.Session.Reveal()})
	if err != nil {
		return err
	}
	return atomicfile.Replace(k.Path, b, atomicfile.SecretDir, atomicfile.SecretFile)
}
