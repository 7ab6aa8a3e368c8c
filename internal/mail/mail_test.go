package mail_test

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/id"
	"github.com/gatehouse-dev/gatehouse/internal/letter"
	"github.com/gatehouse-dev/gatehouse/internal/mail"
	"github.com/gatehouse-dev/gatehouse/internal/outbox"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/testkit/smtpd"
)

const password = "pass word of the test §"

// config reaches a server of the kit.
func config(s *smtpd.Server) mail.Config {
	return mail.Config{Host: "localhost", Port: s.Port, From: "gate@example.com", RootCAs: s.Roots, Timeout: 5 * time.Second}
}

func message(to, name, subject string) outbox.Letter {
	l := letter.Write(letter.Invitation, to, name, subject, "Acme", secret.New("https://gate.example.com/invite/sk-gate-link01-abc"),
		letter.Parts{Greeting: "Hello Ada,", Lines: []string{"A dot alone:", ".", strings.Repeat("long ", 300)}, Button: "Accept", Why: "Olive invited you."}, time.Now())
	return outbox.Letter{Message: outbox.Message{ID: id.NewMessage(), To: l.To, ToName: l.ToName, Subject: l.Subject}, Text: l.Text, HTML: l.HTML}
}

// send sends letters over one connection.
func send(t *testing.T, cfg mail.Config, letters ...outbox.Letter) error {
	t.Helper()
	sender, err := mail.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	line, err := sender.Connect(t.Context())
	if err != nil {
		return err
	}
	defer line.Close()
	for _, l := range letters {
		if err := line.Send(t.Context(), l); err != nil {
			return err
		}
	}
	return nil
}

func TestEveryWayToEncrypt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		server  smtpd.Options
		change  func(*mail.Config)
		refused string // empty: it is sent
	}{
		"STARTTLS":                             {smtpd.Options{}, func(*mail.Config) {}, ""},
		"STARTTLS with a password":             {smtpd.Options{Username: "u", Password: password}, credentials, ""},
		"TLS":                                  {smtpd.Options{Implicit: true}, security(mail.TLS), ""},
		"TLS with a password":                  {smtpd.Options{Implicit: true, Username: "u", Password: password}, both(credentials, security(mail.TLS)), ""},
		"none, on this machine":                {smtpd.Options{NoTLS: true}, security(mail.None), ""},
		"none, by address":                     {smtpd.Options{NoTLS: true}, both(security(mail.None), func(c *mail.Config) { c.Host = "127.0.0.1" }), ""},
		"none, with a password":                {smtpd.Options{NoTLS: true, Insecure: true, Username: "u", Password: password}, both(credentials, security(mail.None)), "auth"},
		"STARTTLS that is not offered":         {smtpd.Options{NoTLS: true, Insecure: true, Username: "u", Password: password}, credentials, "STARTTLS"},
		"a certificate nobody vouches for":     {smtpd.Options{}, func(c *mail.Config) { c.RootCAs = nil }, "certificate"},
		"another's certificate":                {smtpd.Options{}, func(c *mail.Config) { c.Host = "127.0.0.2" }, "certificate|refused"},
		"TLS to a server that speaks in clear": {smtpd.Options{}, security(mail.TLS), "tls"},
		"a wrong password":                     {smtpd.Options{Username: "u", Password: "other"}, credentials, "535"},
		"no password where one is wanted":      {smtpd.Options{Username: "u", Password: "other"}, func(*mail.Config) {}, "530"},
		"a password where none is wanted":      {smtpd.Options{}, credentials, "AUTH"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := smtpd.Start(t, c.server)
			cfg := config(s)
			c.change(&cfg)
			err := send(t, cfg, message("ada@example.com", "Ada", "Hello"))
			if c.refused == "" {
				if err != nil || len(s.Messages()) != 1 {
					t.Fatalf("%d messages, %v", len(s.Messages()), err)
				}
				if m := s.Messages()[0]; m.Encrypted != (cfg.Security != mail.None) || m.AuthenticatedAs != cfg.Username {
					t.Errorf("encrypted: %v, as %q", m.Encrypted, m.AuthenticatedAs)
				}
			} else if err == nil || len(s.Messages()) != 0 {
				t.Fatalf("%d messages, %v", len(s.Messages()), err)
			} else if !containsAny(err.Error(), c.refused) {
				t.Errorf("it says %q, not %q", err, c.refused)
			}
			if wire := s.Wire(); strings.Contains(wire, password) || strings.Contains(wire, base64.StdEncoding.EncodeToString([]byte("\x00u\x00"+password))) ||
				strings.Contains(wire, base64.StdEncoding.EncodeToString([]byte(password))) {
				t.Error("the password went over the wire in clear")
			}
			if err != nil && strings.Contains(err.Error(), password) {
				t.Errorf("the password is in an error: %q", err)
			}
		})
	}
}

func credentials(c *mail.Config) { c.Username, c.Password = "u", secret.New(password) }

func security(s mail.Security) func(*mail.Config) {
	return func(c *mail.Config) { c.Security = s }
}

func both(a, b func(*mail.Config)) func(*mail.Config) {
	return func(c *mail.Config) { a(c); b(c) }
}

func containsAny(s, words string) bool {
	for w := range strings.SplitSeq(words, "|") {
		if strings.Contains(strings.ToLower(s), strings.ToLower(w)) {
			return true
		}
	}
	return false
}

func TestWhatArrives(t *testing.T) {
	t.Parallel()
	s := smtpd.Start(t, smtpd.Options{})
	cfg := config(s)
	cfg.FromName = "Gate, “house”"
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	cfg.Now = func() time.Time { return at }
	first, second := message("ada@example.com", "Ada Löve, “A”", "Olive bittet Sie zu Äcme"), message("bob@example.com", "", "Hello")
	if err := send(t, cfg, first, second); err != nil {
		t.Fatal(err)
	}
	if s.Connections() != 1 {
		t.Errorf("%d connections for one batch", s.Connections())
	}
	m := s.Messages()[0]
	to, err := m.Header.AddressList("To")
	if err != nil || len(to) != 1 || to[0].Address != "ada@example.com" || to[0].Name != "Ada Löve, “A”" {
		t.Errorf("it is for %v, %v", to, err)
	}
	from, err := m.Header.AddressList("From")
	if err != nil || from[0].Name != cfg.FromName || from[0].Address != cfg.From || m.EnvelopeFrom != cfg.From {
		t.Errorf("it is from %v, %v", from, err)
	}
	if date, err := m.Header.Date(); err != nil || !date.Equal(at) {
		t.Errorf("its date is %v, %v", date, err)
	}
	for name, want := range map[string]string{"Message-Id": "<" + string(first.ID) + "@example.com>", "Auto-Submitted": "auto-generated", "Mime-Version": "1.0", "User-Agent": "", "X-Mailer": ""} {
		if got := m.Header.Get(name); got != want {
			t.Errorf("%s: %q, not %q", name, got, want)
		}
	}
	normal := func(s string) string { return strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n")) }
	if m.Subject != first.Subject || normal(m.Text) != normal(first.Text.Reveal()) || normal(m.HTML) != normal(first.HTML.Reveal()) {
		t.Errorf("it arrived as\n%s\n%s\n%s", m.Subject, m.Text, m.HTML)
	}
	for line := range strings.Lines(m.Raw) {
		if len(line) > 1000 {
			t.Errorf("a line has %d bytes", len(line))
		}
	}
}

func TestWhoIsToBlame(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault smtpd.Fault
		want  outbox.Refusal
	}{
		"mailbox unknown":    {smtpd.Fault{At: "rcpt", Code: 550, Text: "no such user here"}, outbox.Refusal{Permanent: true}},
		"mailbox busy":       {smtpd.Fault{At: "rcpt", Code: 450, Text: "try later"}, outbox.Refusal{}},
		"server closes":      {smtpd.Fault{At: "rcpt", Code: 421, Text: "shutting down"}, outbox.Refusal{Server: true}},
		"sender unwanted":    {smtpd.Fault{At: "mail", Code: 550, Text: "not from you"}, outbox.Refusal{Server: true}},
		"sender for now":     {smtpd.Fault{At: "mail", Code: 451, Text: "greylisted"}, outbox.Refusal{}},
		"content refused":    {smtpd.Fault{At: "data", Code: 554, Text: "spam"}, outbox.Refusal{Permanent: true}},
		"content for now":    {smtpd.Fault{At: "data", Code: 452, Text: "disk full"}, outbox.Refusal{}},
		"dropped in between": {smtpd.Fault{At: "drop"}, outbox.Refusal{Broken: true}},
		"answer lost":        {smtpd.Fault{At: "lost"}, outbox.Refusal{Broken: true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := smtpd.Start(t, smtpd.Options{})
			s.Fail(c.fault)
			err := send(t, config(s), message("ada@example.com", "Ada", "Hello"))
			got, ok := errors.AsType[*outbox.Refusal](err)
			if !ok {
				t.Fatalf("it is %v", err)
			}
			if got.Permanent != c.want.Permanent || got.Server != c.want.Server || got.Broken != c.want.Broken {
				t.Errorf("it is %+v", *got)
			}
			if !strings.Contains(got.Reason, c.fault.Text) || strings.Contains(got.Reason, "affected") {
				t.Errorf("it says %q", got.Reason)
			}
		})
	}
}

// TestAfterARefusal wants the connection to be good for the next letter.
func TestAfterARefusal(t *testing.T) {
	t.Parallel()
	s := smtpd.Start(t, smtpd.Options{})
	s.Fail(smtpd.Fault{At: "rcpt", Code: 550, Text: "no"}, smtpd.Fault{At: "data", Code: 554, Text: "no"})
	sender, err := mail.New(config(s))
	if err != nil {
		t.Fatal(err)
	}
	line, err := sender.Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer line.Close()
	for i := range 3 {
		if err := line.Send(t.Context(), message("ada@example.com", "", "Hello")); (err == nil) != (i == 2) {
			t.Errorf("letter %d: %v", i, err)
		}
	}
	if s.Connections() != 1 || len(s.Messages()) != 1 {
		t.Errorf("%d connections, %d messages", s.Connections(), len(s.Messages()))
	}
}

// TestTheEndEndsASending has the end come while a server says nothing.
func TestTheEndEndsASending(t *testing.T) {
	t.Parallel()
	s := smtpd.Start(t, smtpd.Options{})
	cfg := config(s)
	cfg.Timeout = time.Hour
	sender, err := mail.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	line, err := sender.Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := line.Send(ctx, message("ada@example.com", "", "Hello")); err == nil {
		t.Error("it was sent after the end")
	}
	if _, err := sender.Connect(ctx); err == nil {
		t.Error("a connection was taken up after the end")
	}
}

// hostile are texts that want to be more than a subject or a name.
var hostile = []string{"a\r\nBcc: eve@evil.example", "a\nBcc: eve@evil.example\n\nbody", "\r\n.\r\nMAIL FROM:<x>", "a\x00b", "=?utf-8?q?=0D=0ABcc:_x?=",
	"\u202eevil", "<script>", strings.Repeat("é", 2000), "\xff\xfe", "a\u2028b", "a\vBcc: x"}

func TestNothingIsAHeaderByItself(t *testing.T) {
	t.Parallel()
	s := smtpd.Start(t, smtpd.Options{})
	for _, text := range hostile {
		if err := send(t, config(s), message("ada@example.com", text, text)); err != nil {
			t.Errorf("%.40q: %v", text, err)
		}
	}
	for i, m := range s.Messages() {
		if m.Header.Get("Bcc") != "" || len(m.Header) != 9 || len(m.EnvelopeTo) != 1 {
			t.Errorf("%.40q became\n%.900s", hostile[i], m.Raw)
		}
		if strings.ContainsAny(m.Subject, "\r\n\x00\u202e\u2028") {
			t.Errorf("the subject is %q", m.Subject)
		}
	}
	if len(s.Messages()) != len(hostile) {
		t.Errorf("%d messages of %d", len(s.Messages()), len(hostile))
	}
	for _, to := range []string{"", "ada", "ada@example.com>\r\nRCPT TO:<eve@evil.example", "ada@example.com, eve@evil.example", "Ada <ada@example.com>", "a b@example.com",
		"ada@example.com\n", "\"a\r\nb\"@example.com", "ada@exa\x00mple.com", strings.Repeat("a", 300) + "@example.com"} {
		err := send(t, config(s), message(to, "", "Hello"))
		if r, ok := errors.AsType[*outbox.Refusal](err); !ok || !r.Permanent {
			t.Errorf("%.60q as an address: %v", to, err)
		}
	}
	if got := len(s.Messages()); got != len(hostile) {
		t.Errorf("%d letters to no address were taken", got-len(hostile))
	}
}

func FuzzHeaders(f *testing.F) {
	for _, text := range hostile {
		f.Add("ada@example.com", text, text)
	}
	f.Add("ada@example.com\r\nRCPT TO:<x@y>", "", "")
	s := smtpd.Start(f, smtpd.Options{NoTLS: true})
	cfg := config(s)
	cfg.Security = mail.None
	sender, err := mail.New(cfg)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, to, name, subject string) {
		before := len(s.Messages())
		line, err := sender.Connect(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer line.Close()
		if line.Send(t.Context(), message(to, name, subject)) != nil {
			return
		}
		all := s.Messages()
		if len(all) != before+1 {
			t.Fatalf("%d messages of one letter", len(all)-before)
		}
		if m := all[before]; len(m.EnvelopeTo) != 1 || m.EnvelopeTo[0] != to || len(m.Header) != 9 {
			t.Errorf("%q, %q, %q became\n%s", to, name, subject, m.Raw)
		}
	})
}

func TestCheckNamesTheKey(t *testing.T) {
	t.Parallel()
	good := mail.Config{Host: "mail.example.com", From: "gate@example.com"}
	for key, change := range map[string]func(*mail.Config){
		"mail.host": func(c *mail.Config) { c.Host = "" }, "mail.host:": func(c *mail.Config) { c.Host = "mail.example.com:25" }, "mail.host: ": func(c *mail.Config) { c.Host = "a\r\nb" },
		"mail.port": func(c *mail.Config) { c.Port = 70000 }, "mail.security": func(c *mail.Config) { c.Security = mail.None }, "mail.security:": func(c *mail.Config) { c.Security = "ssl" },
		"mail.from": func(c *mail.Config) { c.From = "" }, "mail.from:": func(c *mail.Config) { c.From = "Gate <gate@example.com>" }, "mail.from_name": func(c *mail.Config) { c.FromName = "a\nb" },
		"mail.password": func(c *mail.Config) { c.Username = "u" }, "mail.username": func(c *mail.Config) { c.Password = secret.New("p") }, "mail.helo": func(c *mail.Config) { c.Helo = "a b" },
	} {
		c := good
		change(&c)
		if err := c.Check(); err == nil || !strings.HasPrefix(err.Error(), strings.TrimSpace(key)) {
			t.Errorf("%s: %v", key, err)
		}
	}
	for _, c := range []mail.Config{{}, good, {Host: "::1", Security: mail.None, From: "g@example.com"}, {Host: "localhost", Security: mail.None, From: "g@example.com"}} {
		if err := c.Check(); err != nil {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if got := good.Server(); got != "mail.example.com:587" {
		t.Error(got)
	}
}
