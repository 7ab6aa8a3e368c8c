package helper

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

// Kind is the settings key that a script stands under.
type Kind string

// The scripts of Claude Code.
const (
	APIKey      Kind = "apiKeyHelper"        // prints one token
	Proxy       Kind = "proxyAuthHelper"     // prints the value of Proxy-Authorization
	OTelHeaders Kind = "otelHeadersHelper"   // prints a JSON object of headers
	AWSExport   Kind = "awsCredentialExport" // prints a JSON object of AWS keys
	AWSRefresh  Kind = "awsAuthRefresh"      // prints what a person reads
	GCPRefresh  Kind = "gcpAuthRefresh"      // prints what a person reads
)

// Place is what sort of settings file a script stands in. The zero Place is a
// project's, which anybody who can write to the repository can change.
type Place int

const (
	Project Place = iota // .claude/settings.json of a repository
	Local                // .claude/settings.local.json
	User                 // ~/.claude/settings.json
	Flag                 // --settings
	Managed              // of the organization
)

// Script is one script as it was found in settings.
type Script struct {
	Kind    Kind
	Line    string // for the shell
	File    string // the settings file
	Place   Place
	Trusted bool   // the person trusts the project that File belongs to
	Server  string // the origin that gets what it prints
}

// permitted fails with Denied for a script out of a project that nobody trusted.
func (s Script) permitted() error {
	switch {
	case s.Line == "":
		return fault.New(fault.NotFound, "there is no %s", s.Kind)
	case (s.Place == Project || s.Place == Local) && !s.Trusted:
		return fault.New(fault.Denied, "the %s in %s was not run, because this project has not been trusted", s.Kind, s.File).
			WithHint("claude")
	case s.Place < Project || s.Place > Managed:
		return fault.New(fault.Denied, "the %s in %s was not run, because nobody knows where it comes from", s.Kind, s.File)
	}
	return nil
}

// key names what a script printed. Lengths keep the parts apart.
func (s Script) key() string {
	h := sha256.New()
	for _, part := range []string{string(s.Kind), s.Line, s.File, s.Server} {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// DefaultTTL is how long a token is kept when nobody says otherwise.
const DefaultTTL = 5 * time.Minute

// TTL reads CLAUDE_CODE_API_KEY_HELPER_TTL_MS: whole milliseconds, at most a
// day. Anything else is DefaultTTL.
func TTL(value string) time.Duration {
	ms, err := strconv.ParseInt(value, 10, 64)
	if err != nil || ms < 0 || ms > 24*time.Hour.Milliseconds() {
		return DefaultTTL
	}
	return time.Duration(ms) * time.Millisecond
}

// limit is how long a script may take, all its attempts together.
func (k Kind) limit() time.Duration {
	switch k {
	case AWSRefresh, GCPRefresh:
		return 3 * time.Minute // a person signs in meanwhile
	}
	return time.Minute
}
