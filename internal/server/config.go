package server

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/catalogue"
	"github.com/gatehouse-dev/gatehouse/internal/gateway"
	"github.com/gatehouse-dev/gatehouse/internal/mail"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// Config is all that a server is told. The zero value of a field takes the
// default stated with it.
type Config struct {
	Listen    string // address to serve: 127.0.0.1:8080
	PublicURL string // how clients reach the server; from Listen and TLS if empty
	DataDir   string // folder for keys, the ledger's journal and SQLite; needed
	Database  string // postgres://…; empty: SQLite in DataDir

	TLSCert, TLSKey string         // files; both or none
	TrustedProxies  []netip.Prefix // whose X-Forwarded-For is believed

	MetricsListen string      // an address of its own for /metrics
	MetricsToken  secret.Text // or a token that /metrics asks for
	MetricsOpen   bool        // or neither: the demo

	MasterKey     secret.Text // base64; empty: MasterKeyFile
	MasterKeyFile string      // empty: the file master.key in DataDir, made if there is none

	AccessTTL  time.Duration
	RefreshTTL time.Duration
	Drain      time.Duration // how long streams may go on after the end was asked for: 30 s

	ClosedOrganizations bool        // people cannot make organizations of their own
	OpenToStrangers     bool        // people without an account can make one, with an organization
	Mail                mail.Config // who takes letters; the zero value: nobody, and they wait

	AmbientClouds bool   // upstreams may use this server's own credentials of clouds
	Clouds        Clouds // where clouds hand out credentials
	// IdentityTokenFile holds an identity token of this server, which Anthropic may
	// trust; "": there is none.
	IdentityTokenFile string
	Catalogue         *catalogue.Catalogue // nil: the one that comes with the program

	AllowLocal bool // upstreams on this machine and private networks may be connected: the demo

	DeviceAuthorizations int // per address and ten minutes: 30
	Limits               gateway.Limits

	Demo    bool // a sample organization: the pages say so
	Version string
	Log     *slog.Logger
	Now     func() time.Time
}

func (c Config) withDefaults() Config {
	if c.Listen == "" {
		c.Listen = "127.0.0.1:8080"
	}
	if c.Drain == 0 {
		c.Drain = 30 * time.Second
	}
	if c.DeviceAuthorizations == 0 {
		c.DeviceAuthorizations = 30
	}
	if c.Catalogue == nil {
		c.Catalogue = catalogue.Default()
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// check says what is wrong with a configuration, naming the field.
func (c Config) check() error {
	if c.DataDir == "" {
		return errors.New("data_dir: no data folder is named")
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return errors.New("tls: cert and key are needed together")
	}
	if c.AccessTTL < 0 || c.AccessTTL > time.Hour {
		return errors.New("tokens.access_ttl: must be between one second and one hour")
	}
	if err := c.Mail.Check(); err != nil {
		return err
	}
	if c.PublicURL == "" {
		return nil
	}
	u, err := url.Parse(c.PublicURL)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") || u.Path != "" || u.RawQuery != "" || u.User != nil {
		return fmt.Errorf("public_url: %q is not of the form https://host", c.PublicURL)
	}
	if u.Scheme == "http" && !isLoopback(u.Hostname()) {
		return fmt.Errorf("public_url: %q must be https, as credentials travel over it", c.PublicURL)
	}
	return nil
}

func isLoopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || (err == nil && a.IsLoopback())
}

func (c Config) database() string {
	if c.Database == "" {
		return filepath.Join(c.DataDir, "gatehouse.db")
	}
	return c.Database
}

func (c Config) secure() bool { return strings.HasPrefix(c.PublicURL, "https://") }
