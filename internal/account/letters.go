package account

import (
	"github.com/gatehouse-dev/gatehouse/internal/letter"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

func (s *Service) resetLetter(p Person, token secret.Text, from Origin, l MailLink) letter.Letter {
	return letter.Write(PasswordResetLetter, p.Email, p.Name, "Choose a new password", "", secret.New(s.url+"/reset/"+token.Reveal()), letter.Parts{
		Greeting: "Hello " + p.Name + ",",
		Lines:    []string{"somebody at " + from.Address + " asked for a new password for your Gatehouse account. If that was you, choose one here. The link works once, within an hour, and the newest one alone."},
		Button:   "Choose a new password",
		After:    []string{"Every browser that is signed in is signed out by it. If your account has a second factor, you are asked for that as well.", "If it was not you, do nothing: your password stays as it is."},
		Why:      "You get this because somebody typed your address at " + s.host + ".",
	}, s.now()).In("", string(p.Account)).Until(l.ExpiresAt)
}

func (s *Service) changeLetter(p Person, token secret.Text, l MailLink) letter.Letter {
	return letter.Write(EmailChangeLetter, l.Email, p.Name, "Confirm your new address", "", secret.New(s.url+"/account/email/"+token.Reveal()), letter.Parts{
		Greeting: "Hello " + p.Name + ",",
		Lines:    []string{"you asked to use this address for your Gatehouse account instead of " + p.Email + ". Open the link in a browser in which you are signed in. It works once, within a day."},
		Button:   "Use this address",
		After:    []string{"If you know nothing of this, do nothing: no account has your address."},
		Why:      "You get this because somebody gave your address at " + s.host + ".",
	}, s.now()).In("", string(p.Account)).Until(l.ExpiresAt)
}

func (s *Service) changingLetter(p Person, l MailLink) letter.Letter {
	return letter.Write(EmailChangedLetter, p.Email, p.Name, "Your address is about to change", "", secret.New(s.url+"/account"), letter.Parts{
		Greeting: "Hello " + p.Name + ",",
		Lines:    []string{"somebody who is signed in as you asked to use " + l.Email + " for your Gatehouse account instead of this address. It changes when they open the link that went there."},
		Button:   "See it, or withdraw it",
		After:    []string{"If it was not you: withdraw it there, sign out everywhere, and choose a new password."},
		Why:      "You get this because it is the address of an account at " + s.host + ".",
	}, s.now()).In("", string(p.Account))
}

func (s *Service) changedLetter(p Person, l MailLink) letter.Letter {
	return letter.Write(EmailChangedLetter, p.Email, p.Name, "Your address was changed", "", secret.Text{}, letter.Parts{
		Greeting: "Hello " + p.Name + ",",
		Lines:    []string{"your Gatehouse account now has the address " + l.Email + ", and this one opens nothing any more."},
		After:    []string{"If it was not you, tell an owner of your organization or the operator of the server at once: they can end the account's access, and the record says what it was before."},
		Why:      "You get this because it was the address of an account at " + s.host + ".",
	}, s.now()).In("", string(p.Account))
}
