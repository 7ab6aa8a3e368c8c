package exchange_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/source"
	"github.com/gatehouse-dev/gatehouse/internal/source/exchange"
)

func TestKept(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_700_000_000, 0).UTC()
	k := exchange.Kept{Path: filepath.Join(t.TempDir(), "in", "cloud.json"), Of: "ada", Now: func() time.Time { return now }}
	if _, found := k.Load(); found {
		t.Fatal("something is kept from the start")
	}
	about := source.About{Kind: source.AWS, Origin: "the sign-in", Payer: "the account", Expires: now.Add(time.Hour)}
	for _, c := range []source.Credential{
		{About: about, Scheme: source.SigV4, Keys: source.Keys{ID: "ASIA1", Secret: secret.New("s"), Session: secret.New("t")}},
		{About: about, Scheme: source.Bearer, Value: secret.New("v")},
	} {
		if err := k.Save(c); err != nil {
			t.Fatal(err)
		}
		got, found := k.Load()
		if !found || got.About != c.About || got.Scheme != c.Scheme || !got.Value.Equal(c.Value) || got.Keys.ID != c.Keys.ID ||
			!got.Keys.Secret.Equal(c.Keys.Secret) || !got.Keys.Session.Equal(c.Keys.Session) {
			t.Errorf("%+v, %v", got.About, found)
		}
	}
	other := k
	other.Of = "grace"
	if _, found := other.Load(); found {
		t.Error("what is Ada's was handed to Grace")
	}
	now = now.Add(56 * time.Minute)
	if _, found := k.Load(); found {
		t.Error("what ends in four minutes was handed out")
	}
	now = now.Add(-56 * time.Minute)
	if info, err := os.Stat(k.Path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if err := os.Chmod(k.Path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, found := k.Load(); found {
		t.Error("a file that others can read was used")
	}
	for _, broken := range []string{"", "{", `{"of":"ada","scheme":"bearer","expires":"2999-01-01T00:00:00Z"}`, `{"of":"ada","scheme":"sigv4","key_id":"A","expires":"2999-01-01T00:00:00Z"}`} {
		if err := os.WriteFile(k.Path, []byte(broken), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(k.Path, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, found := k.Load(); found {
			t.Errorf("%q was used", broken)
		}
	}
}
