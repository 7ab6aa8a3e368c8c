package sdkprofile

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gatehouse-dev/gatehouse/internal/atomicfile"
	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

const (
	version   = "1.0"
	userOAuth = "user_oauth"
	maxConfig = 64 << 10
)

// Folder is the shared folder of the official SDKs, "~/.config/anthropic".
type Folder string

// Find returns the folder that the SDKs use: $ANTHROPIC_CONFIG_DIR, or
// %APPDATA%\Anthropic on Windows, or $XDG_CONFIG_HOME/anthropic, or
// ~/.config/anthropic. get reads the environment. It fails with Invalid where
// the SDKs would find none either.
func Find(system, home string, get func(string) string) (Folder, error) {
	dir := get("ANTHROPIC_CONFIG_DIR")
	switch {
	case dir != "":
	case system == "windows" && get("APPDATA") != "":
		dir = filepath.Join(get("APPDATA"), "Anthropic")
	case system != "windows" && get("XDG_CONFIG_HOME") != "":
		dir = filepath.Join(get("XDG_CONFIG_HOME"), "anthropic")
	case home != "" && system == "windows":
		dir = filepath.Join(home, "AppData", "Roaming", "Anthropic")
	case home != "":
		dir = filepath.Join(home, ".config", "anthropic")
	}
	if !filepath.IsAbs(dir) {
		return "", fault.New(fault.Invalid, "there is no folder for the SDK profile, because neither HOME nor ANTHROPIC_CONFIG_DIR is an absolute path").
			WithHint(`export ANTHROPIC_CONFIG_DIR="$PWD/anthropic"`)
	}
	return Folder(dir), nil
}

// Credentials is the folder of the credentials files.
func (f Folder) Credentials() string { return filepath.Join(string(f), "credentials") }

// Config is the path of a profile's config file.
func (f Folder) Config(p credential.Profile) string {
	return filepath.Join(string(f), "configs", p.SDKName()+".json")
}

// Profile is what a config file says.
type Profile struct {
	ClientID       string
	BaseURL        string // an origin, without a slash at the end
	OrganizationID string // may be empty
}

type wire struct {
	Version        string         `json:"version,omitempty"`
	Authentication authentication `json:"authentication"`
	BaseURL        string         `json:"base_url,omitempty"`
	OrganizationID string         `json:"organization_id,omitempty"`
}

type authentication struct {
	Type     string `json:"type"`
	ClientID string `json:"client_id,omitempty"`
}

// Claim makes sure that the profile's name is free or ours. It fails with
// Conflict if another program's profile has the name.
func (f Folder) Claim(p credential.Profile, clientID string) error {
	there, err := f.Read(p)
	switch {
	case fault.Is(err, fault.NotFound), err == nil && there.ClientID == clientID:
		return nil
	case err != nil && !fault.Is(err, fault.Invalid):
		return err
	}
	return fault.New(fault.Conflict, "%s is a profile of another program", f.Config(p)).
		WithHint("gatehouse login --profile work")
}

// Write makes the profile's config file. It is not secret: mode 0644, as the
// SDKs write it.
func (f Folder) Write(p credential.Profile, profile Profile) error {
	if err := f.Claim(p, profile.ClientID); err != nil {
		return err
	}
	b, err := json.MarshalIndent(wire{Version: version, Authentication: authentication{userOAuth, profile.ClientID},
		BaseURL: profile.BaseURL, OrganizationID: profile.OrganizationID}, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the SDK profile: %w", err)
	}
	if err := atomicfile.Replace(f.Config(p), append(b, '\n'), atomicfile.PublicDir, atomicfile.PublicFile); err != nil {
		return fmt.Errorf("writing the SDK profile: %w", err)
	}
	return nil
}

// Read returns a profile. It fails with NotFound if there is none and with
// Invalid if the file is not such a profile.
func (f Folder) Read(p credential.Profile) (Profile, error) { return f.read(f.Config(p)) }

func (f Folder) read(path string) (Profile, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Profile{}, fault.Wrap(fault.NotFound, err, "there is no SDK profile")
	}
	if err != nil {
		return Profile{}, fmt.Errorf("reading the SDK profile: %w", err)
	}
	defer file.Close()
	b, err := io.ReadAll(io.LimitReader(file, maxConfig))
	if err != nil {
		return Profile{}, fmt.Errorf("reading the SDK profile: %w", err)
	}
	return decode(b)
}

func decode(b []byte) (Profile, error) {
	var w wire
	if json.Unmarshal(b, &w) != nil || w.Authentication.Type != userOAuth {
		return Profile{}, fault.New(fault.Invalid, "the SDK profile is not one of a signed-in member")
	}
	return Profile{ClientID: w.Authentication.ClientID, BaseURL: w.BaseURL, OrganizationID: w.OrganizationID}, nil
}

// Remove deletes the profile's config file if it is ours, and reports whether
// it did.
func (f Folder) Remove(p credential.Profile, clientID string) (bool, error) {
	there, err := f.Read(p)
	if err != nil || there.ClientID != clientID {
		return false, nil
	}
	if err := os.Remove(f.Config(p)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("removing the SDK profile: %w", err)
	}
	if f.Active() == p.SDKName() { // what leads nowhere would stop every SDK
		return true, f.SetActive("")
	}
	return true, nil
}
