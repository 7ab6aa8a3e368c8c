package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/catalogue"
	"github.com/gatehouse-dev/gatehouse/internal/gateway"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/server"
	"github.com/goccy/go-yaml"
	"github.com/spf13/pflag"
)

// file is the configuration file. Every key of text has a flag and an environment
// variable of the same name: "tokens.access_ttl" is --tokens-access-ttl and
// GATEHOUSE_TOKENS_ACCESS_TTL. A flag beats the environment beats the file.
type file struct {
	Listen         string   `yaml:"listen"`
	PublicURL      string   `yaml:"public_url"`
	DataDir        string   `yaml:"data_dir"`
	Database       string   `yaml:"database"`
	TrustedProxies []string `yaml:"trusted_proxies"`
	TLS            struct {
		Cert string `yaml:"cert"`
		Key  string `yaml:"key"`
	} `yaml:"tls"`
	Log struct {
		Level  string `yaml:"level"`
		Format string `yaml:"format"`
	} `yaml:"log"`
	Tokens struct {
		AccessTTL  string `yaml:"access_ttl"`
		RefreshTTL string `yaml:"refresh_ttl"`
	} `yaml:"tokens"`
	Metrics struct {
		Listen string `yaml:"listen"`
		Token  string `yaml:"token"`
	} `yaml:"metrics"`
	Limits struct {
		Concurrent int `yaml:"concurrent"`
		PerMinute  int `yaml:"per_minute"`
	} `yaml:"limits"`
	Upstreams struct {
		AllowLocal bool   `yaml:"allow_local"`
		Ambient    bool   `yaml:"ambient"`
		Identity   string `yaml:"identity_token_file"`
		Catalogue  string `yaml:"catalogue"` // a file
		Endpoints  struct {
			STS   string `yaml:"aws_sts"`
			Token string `yaml:"google_token"`
			IAM   string `yaml:"google_iam"`
			Entra string `yaml:"entra"`
		} `yaml:"endpoints"`
	} `yaml:"upstreams"`
	Organizations struct {
		SelfService string `yaml:"self_service"`
	} `yaml:"organizations"`
	Mail struct {
		Host         string `yaml:"host"`
		Port         string `yaml:"port"`
		Security     string `yaml:"security"`
		Username     string `yaml:"username"`
		Password     string `yaml:"password"`
		PasswordFile string `yaml:"password_file"`
		From         string `yaml:"from"`
		FromName     string `yaml:"from_name"`
		Helo         string `yaml:"helo"`
	} `yaml:"mail"`
	Shutdown struct {
		Drain string `yaml:"drain"`
	} `yaml:"shutdown"`
	MasterKeyFile string `yaml:"master_key_file"`
}

// setting is a key that can also be given by flag and environment.
type setting struct {
	key    string
	help   string
	secret bool // never a flag: command lines are seen by everybody
	field  func(*file) *string
}

var settings = []setting{
	{"listen", "address to listen on (127.0.0.1:8080)", false, func(f *file) *string { return &f.Listen }},
	{"public_url", "how clients reach the server, https://…", false, func(f *file) *string { return &f.PublicURL }},
	{"data_dir", "folder for keys, journal and SQLite (gatehouse-data)", false, func(f *file) *string { return &f.DataDir }},
	{"database", "postgres://… (SQLite in the data folder); a URL with a password belongs in the environment or the file", false, func(f *file) *string { return &f.Database }},
	{"tls.cert", "certificate file", false, func(f *file) *string { return &f.TLS.Cert }},
	{"tls.key", "certificate's key file", false, func(f *file) *string { return &f.TLS.Key }},
	{"log.level", "debug, info, warn or error (info)", false, func(f *file) *string { return &f.Log.Level }},
	{"log.format", "text or json (text)", false, func(f *file) *string { return &f.Log.Format }},
	{"tokens.access_ttl", "life of access tokens, at most 1h (1h)", false, func(f *file) *string { return &f.Tokens.AccessTTL }},
	{"tokens.refresh_ttl", "life of refresh tokens from their last use (720h)", false, func(f *file) *string { return &f.Tokens.RefreshTTL }},
	{"metrics.listen", "an address of its own for /metrics", false, func(f *file) *string { return &f.Metrics.Listen }},
	{"metrics.token", "", true, func(f *file) *string { return &f.Metrics.Token }},
	{"organizations.self_service", "who may make an organization: people with an account (true), anybody who reads mail (anyone), the operator alone (false) (true)", false, func(f *file) *string { return &f.Organizations.SelfService }},
	{"mail.host", "mail server that takes letters (none: they wait in the outbox)", false, func(f *file) *string { return &f.Mail.Host }},
	{"mail.port", "its port (587 with starttls, 465 with tls)", false, func(f *file) *string { return &f.Mail.Port }},
	{"mail.security", "starttls, tls, or none for a server on this machine (starttls)", false, func(f *file) *string { return &f.Mail.Security }},
	{"mail.username", "whom the mail server knows", false, func(f *file) *string { return &f.Mail.Username }},
	{"mail.password", "", true, func(f *file) *string { return &f.Mail.Password }},
	{"mail.password_file", "file with the password", false, func(f *file) *string { return &f.Mail.PasswordFile }},
	{"mail.from", "address that letters come from", false, func(f *file) *string { return &f.Mail.From }},
	{"mail.from_name", "name that letters come from (Gatehouse)", false, func(f *file) *string { return &f.Mail.FromName }},
	{"mail.helo", "name this machine gives itself (the domain of mail.from)", false, func(f *file) *string { return &f.Mail.Helo }},
	{"shutdown.drain", "how long streams may go on at the end (30s)", false, func(f *file) *string { return &f.Shutdown.Drain }},
	{"master_key_file", "file with the master key (master.key in the data folder)", false, func(f *file) *string { return &f.MasterKeyFile }},
}

func flagName(key string) string {
	return strings.NewReplacer(".", "-", "_", "-").Replace(key)
}

func envName(key string) string {
	return "GATEHOUSE_" + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// addFlags adds a flag for the settings with these keys; for all if none is named.
func addFlags(flags *pflag.FlagSet, keys ...string) {
	wanted := map[string]bool{}
	for _, k := range keys {
		wanted[k] = true
	}
	for _, s := range settings {
		if !s.secret && (len(keys) == 0 || wanted[s.key]) {
			flags.String(flagName(s.key), "", s.help)
		}
	}
}

// load reads the configuration file, if there is one, then the environment, then
// the flags.
func (m *Main) load(path string, flags *pflag.FlagSet) (file, error) {
	var f file
	if path == "" {
		path = m.Getenv("GATEHOUSE_CONFIG")
	}
	if path != "" {
		raw, err := os.ReadFile(path)
		if err != nil {
			return f, usageError{fmt.Errorf("reading the configuration: %w", err)}
		}
		if f, err = parseFile(raw); err != nil {
			return f, usageError{fmt.Errorf("%s: %w", path, err)}
		}
	}
	for _, s := range settings {
		if v := m.Getenv(envName(s.key)); v != "" {
			*s.field(&f) = v
		}
		if flag := flags.Lookup(flagName(s.key)); flag != nil && flag.Changed {
			*s.field(&f) = flag.Value.String()
		}
	}
	if v := m.Getenv(envName("trusted_proxies")); v != "" {
		f.TrustedProxies = strings.Split(v, ",")
	}
	if flag := flags.Lookup("trusted-proxies"); flag != nil && flag.Changed {
		f.TrustedProxies = strings.Split(flag.Value.String(), ",")
	}
	return f, nil
}

// parseFile reads a configuration file. A key that does not exist, or stands
// there twice, is an error that names it.
func parseFile(raw []byte) (file, error) {
	var f file
	err := yaml.NewDecoder(bytes.NewReader(raw), yaml.Strict(), yaml.DisallowUnknownField()).Decode(&f)
	if errors.Is(err, io.EOF) { // an empty file
		return file{}, nil
	}
	if err != nil {
		return file{}, errors.New(strings.TrimSpace(yaml.FormatError(err, false, false)))
	}
	return f, nil
}

// config is the file as the server wants it. Errors name the key at fault.
func (m *Main) config(f file) (server.Config, error) {
	cfg := server.Config{Listen: f.Listen, PublicURL: strings.TrimRight(f.PublicURL, "/"), DataDir: orDefault(f.DataDir, "gatehouse-data"), Database: f.Database,
		TLSCert: f.TLS.Cert, TLSKey: f.TLS.Key, MetricsListen: f.Metrics.Listen, MetricsToken: secret.New(f.Metrics.Token),
		MasterKey: secret.New(m.Getenv("GATEHOUSE_MASTER_KEY")), MasterKeyFile: f.MasterKeyFile, Version: version, AllowLocal: f.Upstreams.AllowLocal, AmbientClouds: f.Upstreams.Ambient, IdentityTokenFile: f.Upstreams.Identity,
		Clouds: server.Clouds{STS: f.Upstreams.Endpoints.STS, Token: f.Upstreams.Endpoints.Token, IAM: f.Upstreams.Endpoints.IAM, Authority: f.Upstreams.Endpoints.Entra},
		Limits: gateway.Limits{Concurrent: f.Limits.Concurrent, PerMinute: f.Limits.PerMinute}}
	for _, d := range []struct {
		key  string
		text string
		into *time.Duration
	}{{"tokens.access_ttl", f.Tokens.AccessTTL, &cfg.AccessTTL}, {"tokens.refresh_ttl", f.Tokens.RefreshTTL, &cfg.RefreshTTL}, {"shutdown.drain", f.Shutdown.Drain, &cfg.Drain}} {
		if d.text == "" {
			continue
		}
		v, err := time.ParseDuration(d.text)
		if err != nil || v <= 0 {
			return cfg, usageError{fmt.Errorf("%s: %q is not a duration such as 30s or 1h", d.key, d.text)}
		}
		*d.into = v
	}
	if f.Upstreams.Catalogue != "" {
		text, err := os.ReadFile(f.Upstreams.Catalogue)
		if err == nil {
			cfg.Catalogue, err = catalogue.Default().With(text)
		}
		if err != nil {
			return cfg, usageError{fmt.Errorf("upstreams.catalogue: %w", err)}
		}
	}
	for _, text := range f.TrustedProxies {
		text = strings.TrimSpace(text)
		p, err := netip.ParsePrefix(text)
		if a, single := netip.ParseAddr(text); err != nil && single == nil {
			p, err = a.Prefix(a.BitLen())
		}
		if err != nil {
			return cfg, usageError{fmt.Errorf("trusted_proxies: %q is neither an address nor a network such as 10.0.0.0/8", text)}
		}
		cfg.TrustedProxies = append(cfg.TrustedProxies, p)
	}
	for key, n := range map[string]int{"limits.concurrent": f.Limits.Concurrent, "limits.per_minute": f.Limits.PerMinute} {
		if n < 0 {
			return cfg, usageError{fmt.Errorf("%s: must not be negative", key)}
		}
	}
	switch f.Organizations.SelfService {
	case "", "true":
	case "anyone":
		cfg.OpenToStrangers = true
	case "false":
		cfg.ClosedOrganizations = true
	default:
		return cfg, usageError{fmt.Errorf("organizations.self_service: %q is neither true, anyone nor false", f.Organizations.SelfService)}
	}
	var err error
	if cfg.Mail, err = mailConfig(f); err != nil {
		return cfg, usageError{err}
	}
	cfg.Log, err = m.logger(f.Log.Level, f.Log.Format)
	return cfg, err
}
