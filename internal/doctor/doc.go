// Package doctor finds out what keeps a machine from working with a server, and
// why.
//
// Checks form a tree by what they need. A check whose need is not met is not
// made: it would fail for the same cause and hide it. So what is shown as failed
// is a cause.
//
//	system ──► requirements
//	  └──────► claude ──► installation
//	proxy ───► server ──► clock, certificate ───────────────┐
//	store ───► sign_in ─► life (needs server) ──────────────┤
//	settings ──► door (needs sign_in) ─► request (needs all these)
//	    └──────► editors, background
//	credentials, repository
//
// A Finding says what is, why, and the one command that mends it; where that is
// harmless it can mend it itself. What others said, such as a server, is marked,
// and never travels: a Bundle is made of our own words, names, and settings of
// which every text is left out.
//
// It must never change anything while it looks, wait without end for a program,
// a server or a file, or show a value of a variable or setting.
package doctor
