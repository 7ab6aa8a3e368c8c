package invite

import (
	"crypto/hmac"
	"crypto/sha256"
	"strconv"

	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// derive makes the token of an invitation or a link out of what names it. The
// label keeps the two, and whatever else the key is used for, apart.
func (s *Service) derive(label, name string) secret.Text {
	key := hmac.New(sha256.New, s.Key)
	key.Write([]byte("gatehouse invitations"))
	mac := hmac.New(sha256.New, key.Sum(nil))
	mac.Write([]byte(label + "\x00" + name))
	return secret.FromBytes(secret.InviteToken, [32]byte(mac.Sum(nil)))
}

func (s *Service) token(i Invite) secret.Text { return s.derive("invite", string(i.ID)) }

func (s *Service) linkToken(l Link) secret.Text {
	return s.derive("link", string(l.ID)+" "+strconv.Itoa(l.Round))
}

// address is where a token leads.
func (s *Service) address(path string, token secret.Text) secret.Text {
	return secret.New(s.PublicURL + path + token.Reveal())
}
