package mail

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// Security is how the connection is encrypted.
type Security string

const (
	StartTLS Security = "starttls" // begun in clear and then encrypted, or given up
	TLS      Security = "tls"      // from the first byte
	None     Security = "none"     // to this very machine only
)

// Config says which mail server takes the letters. The zero Config is none.
type Config struct {
	Host     string
	Port     int      // 587 with StartTLS, 465 with TLS, 25 with None
	Security Security // StartTLS
	Username string   // empty: the server asks for none
	Password secret.Text
	From     string // an address
	FromName string // Gatehouse
	Helo     string // the name this machine calls itself; the domain of From

	RootCAs *x509.CertPool   // who is believed about certificates; nil: whom this machine believes
	Timeout time.Duration    // for taking up a connection, and for each letter: 30 s
	Now     func() time.Time // nil: time.Now
}

// Configured reports whether there is a server at all.
func (c Config) Configured() bool { return c.Host != "" }

// Server is the server's address, for people.
func (c Config) Server() string {
	if !c.Configured() {
		return ""
	}
	return net.JoinHostPort(c.Host, strconv.Itoa(c.withDefaults().Port))
}

func (c Config) withDefaults() Config {
	if c.Security == "" {
		c.Security = StartTLS
	}
	if c.Port == 0 {
		c.Port = map[Security]int{StartTLS: 587, TLS: 465, None: 25}[c.Security]
	}
	if c.FromName == "" {
		c.FromName = "Gatehouse"
	}
	if c.Helo == "" {
		c.Helo = c.domain()
	}
	if c.Timeout == 0 {
		c.Timeout = 30 * time.Second
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// domain is what follows the @ of From.
func (c Config) domain() string { return c.From[strings.LastIndexByte(c.From, '@')+1:] }

// Check says what is wrong with a configuration, naming the key.
func (c Config) Check() error {
	if !c.Configured() {
		return c.checkNone()
	}
	switch c.Security {
	case "", StartTLS, TLS:
	case None:
		if !loopback(c.Host) {
			return fmt.Errorf("mail.security: none is for a server on this machine; %s is reached with starttls or tls", c.Host)
		}
	default:
		return fmt.Errorf("mail.security: %q is none of starttls, tls, none", c.Security)
	}
	switch {
	case !isHost(c.Host):
		return fmt.Errorf("mail.host: %q is not the name or address of a server; its port belongs into mail.port", c.Host)
	case c.Port < 0 || c.Port > 65535:
		return fmt.Errorf("mail.port: %d is not a port", c.Port)
	case c.From == "":
		return errors.New("mail.from: letters need an address to come from")
	case !isAddress(c.From):
		return fmt.Errorf("mail.from: %q is not an e-mail address; a name belongs into mail.from_name", c.From)
	case oneLine(c.FromName) != c.FromName || len(c.FromName) > 200:
		return errors.New("mail.from_name: must be one line of at most 200 printable characters")
	case c.Username == "" && !c.Password.Empty():
		return errors.New("mail.username: a password is given and nobody whose it is")
	case c.Username != "" && c.Password.Empty():
		return errors.New("mail.password: a username is given without; it can also be in mail.password_file")
	case c.Helo != "" && !isHost(c.Helo):
		return fmt.Errorf("mail.helo: %q is not the name of a machine", c.Helo)
	}
	return nil
}

// checkNone refuses half a configuration: whoever wrote it believes that letters
// are sent.
func (c Config) checkNone() error {
	for _, given := range []struct {
		key string
		is  bool
	}{{"port", c.Port != 0}, {"security", c.Security != ""}, {"username", c.Username != ""}, {"password", !c.Password.Empty()}, {"from", c.From != ""},
		{"from_name", c.FromName != ""}, {"helo", c.Helo != ""}} {
		if given.is {
			return fmt.Errorf("mail.host: mail.%s is given and no server", given.key)
		}
	}
	return nil
}

func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || (err == nil && a.IsLoopback())
}

// isHost reports whether s is a host's name or a literal address, and nothing
// that could be more than a word of a command.
func isHost(s string) bool {
	if _, err := netip.ParseAddr(s); err == nil {
		return true
	}
	return s != "" && len(s) <= 253 && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '.' && r != '-' && r != '_'
	})
}

// isAddress reports whether s is one bare address.
func isAddress(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Address == s && len(s) <= 254 && oneLine(s) == s && !strings.ContainsAny(s, " <>")
}
