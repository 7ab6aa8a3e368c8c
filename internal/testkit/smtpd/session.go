package smtpd

import (
	"errors"
	"io"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// session is one conversation.
type session struct {
	server *Server
	conn   *smtp.Conn
	known  bool // who it is
	auth   string
	from   string
	to     []string
}

func (s *Server) session(c *smtp.Conn) (smtp.Session, error) {
	if f, ok := s.fault("connect"); ok {
		return nil, f.err()
	}
	return &session{server: s, conn: c, known: s.options.Username == ""}, nil
}

// AuthMechanisms implements smtp.AuthSession.
func (s *session) AuthMechanisms() []string {
	if s.server.options.Username == "" {
		return nil
	}
	return []string{sasl.Plain, sasl.Login}
}

// Auth implements smtp.AuthSession.
func (s *session) Auth(mech string) (sasl.Server, error) {
	check := func(username, password string) error {
		if username != s.server.options.Username || password != s.server.options.Password {
			return &smtp.SMTPError{Code: 535, Message: "wrong: " + password}
		}
		s.known, s.auth = true, username
		return nil
	}
	switch mech {
	case sasl.Plain:
		return sasl.NewPlainServer(func(_, username, password string) error { return check(username, password) }), nil
	case sasl.Login:
		return &login{check: check}, nil
	}
	return nil, smtp.ErrAuthUnknownMechanism
}

// login is the server of AUTH LOGIN.
type login struct {
	step     int
	username string
	check    func(username, password string) error
}

func (l *login) Next(response []byte) (challenge []byte, done bool, err error) {
	l.step++
	switch l.step {
	case 1:
		return []byte("Username:"), false, nil
	case 2:
		l.username = string(response)
		return []byte("Password:"), false, nil
	}
	return nil, true, l.check(l.username, string(response))
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if !s.known {
		return &smtp.SMTPError{Code: 530, Message: "authenticate first"}
	}
	if f, ok := s.server.fault("mail"); ok {
		return f.err()
	}
	s.from = from
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if f, ok := s.server.fault("rcpt"); ok {
		return f.err()
	}
	s.to = append(s.to, to)
	return nil
}

func (s *session) Data(r io.Reader) error {
	if _, ok := s.server.fault("drop"); ok {
		if _, err := io.ReadFull(r, make([]byte, 100)); err != nil {
			return err
		}
		_ = s.conn.Conn().Close()
		return errors.New("dropped")
	}
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if f, ok := s.server.fault("data"); ok {
		return f.err()
	}
	m, err := parse(raw)
	if err != nil {
		return &smtp.SMTPError{Code: 554, Message: "this is no message: " + err.Error()}
	}
	_, m.Encrypted = s.conn.TLSConnectionState()
	m.EnvelopeFrom, m.EnvelopeTo, m.AuthenticatedAs = s.from, s.to, s.auth
	s.server.take(m)
	if _, ok := s.server.fault("lost"); ok {
		_ = s.conn.Conn().Close()
	}
	return nil
}

func (s *Server) take(m Message) {
	s.mu.Lock()
	s.taken = append(s.taken, m)
	s.mu.Unlock()
	s.arrived <- struct{}{}
}

func (s *session) Reset()        { s.from, s.to = "", nil }
func (s *session) Logout() error { return nil }
