// Package mail hands letters to a mail server by SMTP. It is the outbox.Sender.
//
// The connection is encrypted and the server's certificate checked, always, but
// for a server on this very machine, and a password never travels in clear, not
// even there. What the server answers is sorted by who is to blame: the letter,
// for good or for now, or the server and its configuration.
//
// A letter's Message-ID is made from its id, so whoever receives it twice can
// see that it is the same.
package mail
