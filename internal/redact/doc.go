// Package redact takes secrets out of what a person reads or hands on.
//
//	Line       one line of a settings file, for a diff on the person's own screen:
//	           values of members that look secret are left out
//	Settings   a whole settings file, for a bundle that travels: every text is
//	           left out, unless its key is known to hold nothing secret
//	Text       a sentence: known secrets and what has the form of one are left out
//
// Line and Text look for what is secret and can miss it; Settings keeps what is
// known to be harmless and nothing else. What travels is made by Settings, or of
// words of our own.
package redact
