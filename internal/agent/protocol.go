package agent

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// Version is that of the protocol.
const Version = 1

// maxLine is the longest request or answer, its newline included, in bytes.
const maxLine = 64 << 10

// Verb is what an agent is asked for.
type Verb string

// The verbs.
const (
	VerbToken  Verb = "token"
	VerbStatus Verb = "status"
	VerbShare  Verb = "share"
	VerbLock   Verb = "lock"
	VerbUnlock Verb = "unlock"
	VerbStop   Verb = "stop"
)

// Request is what an agent is asked. Everything but Verb may be missing.
type Request struct {
	Verb       Verb
	Profile    credential.Profile // "" is the default one
	Server     string             // the origin that the profile must lead to
	Home       string             // of the caller's configuration, as HomeOf
	Refused    secret.Hash        // of a token that the server did not take
	Passphrase secret.Text        // for VerbUnlock
}

// Answer is what it answers: one of the fields.
type Answer struct {
	Token  *Token
	Status *Status
	Path   string // of VerbShare
	Err    error
}

// Token is an access token.
type Token struct {
	Access  secret.Text
	Expires time.Time
	Server  string // the origin it is for
}

// Status is what an agent holds. Fields are only ever added.
type Status struct {
	Process int             `json:"process"`
	Locked  bool            `json:"locked"`
	Since   time.Time       `json:"since"`
	Ends    time.Time       `json:"ends"` // unless somebody asks for something
	Screen  bool            `json:"locks_with_screen"`
	Home    string          `json:"home,omitempty"`
	Held    []ProfileStatus `json:"profiles"`
	Shared  []string        `json:"shared"` // profiles that have a shared socket
}

// ProfileStatus is one sign-in that an agent has handed out tokens of.
type ProfileStatus struct {
	Profile string    `json:"profile"`
	Server  string    `json:"server"`
	Expires time.Time `json:"expires_at"`
}

// HomeOf names a configuration by its folders, without telling them.
func HomeOf(folders ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(folders, "\x00")))
	return hex.EncodeToString(sum[:16])
}

type wireRequest struct {
	Version    int    `json:"v"`
	Verb       Verb   `json:"verb"`
	Profile    string `json:"profile,omitempty"`
	Server     string `json:"server,omitempty"`
	Home       string `json:"home,omitempty"`
	Refused    string `json:"refused,omitempty"`
	Passphrase string `json:"passphrase,omitempty"`
}

type wireAnswer struct {
	Version int        `json:"v"`
	Token   *wireToken `json:"token,omitempty"`
	Status  *Status    `json:"status,omitempty"`
	Path    string     `json:"path,omitempty"`
	Error   *wireError `json:"error,omitempty"`
}

type wireToken struct {
	Access  string `json:"access_token"`
	Expires int64  `json:"expires_at"`
	Server  string `json:"server"`
}

// elsewhere is the kind of ErrElsewhere.
const elsewhere = "elsewhere"

type wireError struct {
	Kind    string `json:"kind"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// readRequest reads one request. It fails with Invalid; the error quotes nothing.
func readRequest(r io.Reader) (Request, error) {
	var w wireRequest
	if err := readLine(r, &w); err != nil {
		return Request{}, err
	}
	if w.Version != Version {
		return Request{}, fault.New(fault.Unsupported, "the agent speaks version %d of its protocol", Version).WithHint("gatehouse agent stop")
	}
	req := Request{Verb: w.Verb, Server: w.Server, Home: w.Home, Passphrase: secret.New(w.Passphrase)}
	if w.Profile != "" {
		profile, err := credential.ParseProfile(w.Profile)
		if err != nil {
			return Request{}, err
		}
		req.Profile = profile
	}
	if w.Refused != "" {
		hash, err := hex.DecodeString(w.Refused)
		if err != nil || len(hash) != len(req.Refused) {
			return Request{}, fault.New(fault.Invalid, "what was refused is no SHA-256 in hex")
		}
		copy(req.Refused[:], hash)
	}
	return req, nil
}

func writeRequest(w io.Writer, r Request) error {
	line := wireRequest{Version: Version, Verb: r.Verb, Profile: string(r.Profile), Server: r.Server, Home: r.Home, Passphrase: r.Passphrase.Reveal()}
	if r.Refused != (secret.Hash{}) {
		line.Refused = hex.EncodeToString(r.Refused[:])
	}
	return writeLine(w, line)
}

func writeAnswer(w io.Writer, a Answer) error {
	line := wireAnswer{Version: Version, Status: a.Status, Path: a.Path}
	if a.Token != nil {
		line.Token = &wireToken{Access: a.Token.Access.Reveal(), Expires: a.Token.Expires.Unix(), Server: a.Token.Server}
	}
	if a.Err != nil {
		line.Error = &wireError{Kind: fault.KindOf(a.Err).String(), Message: fault.Message(a.Err)}
		if errors.Is(a.Err, ErrElsewhere) {
			line.Error.Kind = elsewhere
		}
		if f, ok := errors.AsType[*fault.Error](a.Err); ok {
			line.Error.Hint = f.Hint
		}
	}
	return writeLine(w, line)
}

// readAnswer reads one answer. What an agent says is not believed further than
// its form: texts are cut, and a token that is none is an error.
func readAnswer(r io.Reader) (Answer, error) {
	var w wireAnswer
	if err := readLine(r, &w); err != nil {
		return Answer{}, err
	}
	switch {
	case w.Error != nil && w.Error.Kind == elsewhere:
		return Answer{Err: ErrElsewhere}, nil
	case w.Error != nil:
		return Answer{Err: fault.New(kindOf(w.Error.Kind), "%s", oneLine(w.Error.Message)).WithHint(oneLine(w.Error.Hint))}, nil
	case w.Version != Version:
		return Answer{}, fault.New(fault.Unsupported, "the agent speaks another version of the protocol").WithHint("gatehouse agent stop")
	case w.Token != nil:
		t := &Token{Access: secret.New(w.Token.Access), Expires: time.Unix(w.Token.Expires, 0), Server: w.Token.Server}
		if !credential.Printable(t.Access) {
			return Answer{}, fault.New(fault.Invalid, "what the agent gave is no token")
		}
		return Answer{Token: t}, nil
	}
	return Answer{Status: w.Status, Path: w.Path}, nil
}

func kindOf(name string) fault.Kind {
	for k := fault.Internal; k <= fault.Timeout; k++ {
		if k.String() == name {
			return k
		}
	}
	return fault.Internal
}

// oneLine makes a foreign text fit for a terminal.
func oneLine(s string) string {
	const most = 500
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r >= '\u2028' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	if runes := []rune(s); len(runes) > most {
		s = string(runes[:most]) + "…"
	}
	return strings.TrimSpace(s)
}

var errNothing = errors.New("nothing was said")

// readLine reads one line of JSON. It fails with errNothing if the other side
// went away without a word.
func readLine(r io.Reader, into any) error {
	line, err := bufio.NewReaderSize(r, maxLine).ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return fault.New(fault.TooLarge, "a line of the agent's protocol has at most %d bytes", maxLine)
	case err != nil && len(line) == 0 && errors.Is(err, io.EOF):
		return errNothing
	case err != nil:
		return fmt.Errorf("reading from the agent's socket: %w", err)
	}
	if json.Unmarshal(line, into) != nil {
		return fault.New(fault.Invalid, "that is not the JSON object it should be")
	}
	return nil
}

func writeLine(w io.Writer, what any) error {
	b, err := json.Marshal(what)
	if err != nil {
		return fmt.Errorf("encoding for the agent's socket: %w", err)
	}
	if len(b) >= maxLine {
		return fault.New(fault.TooLarge, "a line of the agent's protocol has at most %d bytes", maxLine)
	}
	if _, err := w.Write(append(b, '\n')); err != nil {
		return fmt.Errorf("writing to the agent's socket: %w", err)
	}
	return nil
}
