package account

import (
	"github.com/gatehouse-dev/gatehouse/internal/letter"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/useragent"
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

func (s *Service) newBrowserLetter(p Person, b Browser) letter.Letter {
	return letter.Write(NewBrowserLetter, p.Email, p.Name, "Your account was entered from a new browser", "", secret.New(s.url+"/account/history"), letter.Parts{
		Greeting: "Hello " + p.Name + ",",
		Lines: []string{"somebody signed in to your Gatehouse account from a browser or a network from which nobody had done so before: " + useragent.Name(b.UserAgent) +
			", at the address " + b.Address + ", on " + b.CreatedAt.UTC().Format("2 January 2006, 15:04 UTC") + ", by " + b.Method + "."},
		Button: "See your sign-in history",
		After:  []string{"If it was you, there is nothing to do.", "If it was not you, sign out everywhere there and choose a new password."},
		Why:    "You get this because it is the address of an account at " + s.host + ".",
	}, s.now()).In("", string(p.Account)).Until(b.CreatedAt.Add(alertLife))
}

func (s *Service) signUpLetter(u SignUp, token secret.Text, from Origin) letter.Letter {
	return letter.Write(SignUpLetter, u.Email, "", "Make your account", "", secret.New(s.url+"/sign-up/"+token.Reveal()), letter.Parts{
		Greeting: "Hello,",
		Lines:    []string{"somebody at " + from.Address + " asked for a Gatehouse account with this address. If that was you, make it here. The link works once, within a day, and the newest one alone."},
		Button:   "Make the account",
		After:    []string{"If it was not you, do nothing: no account is made."},
		Why:      "You get this because somebody typed your address at " + s.host + ".",
	}, s.now()).Until(u.ExpiresAt)
}

// knownLetter is what an address gets instead that has an account.
func (s *Service) knownLetter(p Person, from Origin) letter.Letter {
	return letter.Write(SignUpLetter, p.Email, p.Name, "You have an account already", "", secret.New(s.url+"/sign-in"), letter.Parts{
		Greeting: "Hello " + p.Name + ",",
		Lines:    []string{"somebody at " + from.Address + " asked for a Gatehouse account with this address. It has one already: sign in with it. An organization of your own is made there, too."},
		Button:   "Sign in",
		After:    []string{"Forgotten the password? The sign-in page sends you a link.", "If it was not you, do nothing: nothing is changed."},
		Why:      "You get this because somebody typed your address at " + s.host + ".",
	}, s.now()).In("", string(p.Account)).Until(s.now().Add(signUpLife))
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

func (s *Service) changedLetter(p Person, l MailLink, token secret.Text, undo MailLink) letter.Letter {
	return letter.Write(EmailChangedLetter, p.Email, p.Name, "Your address was changed", "", secret.New(s.url+"/undo/"+token.Reveal()), letter.Parts{
		Greeting: "Hello " + p.Name + ",",
		Lines: []string{"your Gatehouse account now has the address " + l.Email + " instead of this one. If that was you, there is nothing to do.",
			"If it was not you, put this address back. The link works once, within seven days, whatever is done with the account in the meantime."},
		Button: "It was not me: put this address back",
		After:  []string{"Every browser and every device that is signed in is signed out by it, and you choose a new password."},
		Why:    "You get this because it was the address of an account at " + s.host + ".",
	}, s.now()).In("", string(p.Account)).Until(undo.ExpiresAt)
}
