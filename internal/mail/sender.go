package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/outbox"
	"github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

// Sender is the outbox.Sender of one mail server. Make it with New.
type Sender struct {
	cfg    Config
	client *mail.Client
}

var _ outbox.Sender = (*Sender)(nil)

// New returns the Sender of a configuration that Check finds nothing wrong with.
func New(cfg Config) (*Sender, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	if !cfg.Configured() {
		return nil, errors.New("mail.host: no mail server is named")
	}
	cfg = cfg.withDefaults()
	options := []mail.Option{mail.WithPort(cfg.Port), mail.WithTimeout(cfg.Timeout), mail.WithHELO(cfg.Helo), mail.WithoutNoop(),
		mail.WithTLSConfig(&tls.Config{ServerName: cfg.Host, MinVersion: tls.VersionTLS12, RootCAs: cfg.RootCAs})}
	switch cfg.Security {
	case TLS:
		options = append(options, mail.WithSSL())
	case None:
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
	default:
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	}
	if cfg.Username != "" { // in clear, this picks only what does not tell the password
		options = append(options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(cfg.Username), mail.WithPassword(cfg.Password.Reveal()))
	}
	host := cfg.Host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	client, err := mail.NewClient(host, options...)
	if err != nil {
		return nil, fmt.Errorf("mail: %w", err)
	}
	return &Sender{cfg, client}, nil
}

// Connect implements outbox.Sender.
func (s *Sender) Connect(ctx context.Context) (outbox.Conversation, error) {
	type taken struct {
		client *smtp.Client
		err    error
	}
	got := make(chan taken, 1)
	go func() { // the library heeds the context until it is connected, and its timeout from then on
		c, err := s.client.DialToSMTPClientWithContext(ctx)
		got <- taken{c, err}
	}()
	select {
	case t := <-got:
		if t.err != nil {
			return nil, errors.New(s.withoutPassword(t.err.Error()))
		}
		return &conversation{s, t.client}, nil
	case <-ctx.Done():
		go func() {
			if t := <-got; t.client != nil {
				_ = t.client.Close() // nobody waits for it any more
			}
		}()
		return nil, ctx.Err()
	}
}

// withoutPassword guards against a server that says what it was told.
func (s *Sender) withoutPassword(said string) string {
	if s.cfg.Password.Empty() {
		return said
	}
	return strings.ReplaceAll(said, s.cfg.Password.Reveal(), "[left out]")
}

type conversation struct {
	sender *Sender
	client *smtp.Client
}

// Send implements outbox.Conversation.
func (c *conversation) Send(ctx context.Context, l outbox.Letter) error {
	m, err := c.sender.compose(l)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { _ = c.client.Text.Close() })()
	err = c.sender.client.SendWithSMTPClient(c.client, m)
	if err == nil || m.IsDelivered() { // it may fail to make ready for the next, which will be noticed then
		return nil
	}
	return c.sender.refusal(err)
}

// refusal sorts a failure by who is to blame.
func (s *Sender) refusal(err error) *outbox.Refusal {
	failed, ok := errors.AsType[*mail.SendError](err)
	if !ok {
		return &outbox.Refusal{Reason: s.withoutPassword(err.Error()), Broken: true}
	}
	r := &outbox.Refusal{Reason: s.withoutPassword(words(failed))}
	switch code := failed.ErrorCode(); {
	case failed.Reason == mail.ErrGetRcpts:
		r.Permanent = true
	case failed.Reason == mail.ErrGetSender:
		r.Server = true
	case code == 0:
		r.Broken = true
	case code == 421, code == 530, code == 534, code == 535, code == 538:
		r.Server = true // it closes, or wants us to show who we are
	case code/100 == 5 && failed.Reason == mail.ErrSMTPMailFrom:
		r.Server = true // it does not want letters from us
	case code/100 == 5:
		r.Permanent = true
	}
	return r
}

// words are what the server said, without what the library adds to it.
func words(failed *mail.SendError) string {
	said, _, _ := strings.Cut(failed.Error(), ", affected ")
	if _, after, ok := strings.Cut(said, ": "); ok && failed.ErrorCode() != 0 {
		said = after
	}
	return said
}

// closing is how long a server may take to say good-bye.
const closing = 2 * time.Second

// Close implements outbox.Conversation.
func (c *conversation) Close() error {
	if err := c.client.UpdateDeadline(closing); err != nil {
		return err
	}
	return c.sender.client.CloseWithSMTPClient(c.client)
}
