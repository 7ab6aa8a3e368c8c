package server

import (
	"github.com/gatehouse-dev/gatehouse/internal/mail"
	"github.com/gatehouse-dev/gatehouse/internal/outbox"
)

// openMail makes what sends letters, if there is a server to take them.
func (s *Server) openMail() error {
	if !s.cfg.Mail.Configured() {
		s.cfg.Log.Info("no mail server is set, so letters wait in the outbox; see mail.host")
		return nil
	}
	s.cfg.Mail.Now = s.cfg.Now
	sender, err := mail.New(s.cfg.Mail)
	if err != nil {
		return err
	}
	s.letters = &outbox.Job{Store: s.db.Outbox(), Sender: sender, Now: s.cfg.Now, Log: s.cfg.Log, Watcher: s.metrics}
	return nil
}

// woken is told after every recorded change of this node: others need not wait
// for their next look.
func (s *Server) woken() {
	s.feed.Wake()
	if s.letters != nil {
		s.letters.Wake()
	}
}

// Sent implements outbox.Watcher.
func (m *metrics) Sent(outcome outbox.Status) { m.letters.WithLabelValues(string(outcome)).Inc() }
