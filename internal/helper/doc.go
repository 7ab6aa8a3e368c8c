// Package helper runs the credential scripts that stand in Claude Code's
// settings (apiKeyHelper, proxyAuthHelper, otelHeadersHelper, and the ones of the
// clouds) as Claude Code runs them.
//
//	in memory, younger than the TTL ─────────────────────────────────▶ hand out
//	      │ no
//	one goroutine ─▶ lock ─▶ kept file, younger than the TTL ────────▶ hand out
//	                           │ no
//	                        shell, at most three times ─ one token, exit 0 ─▶ keep, hand out
//	                           │
//	                        the script's own words, redacted
//
// A script is a line for /bin/sh (cmd.exe on Windows). It has no terminal and is
// ended with all its children when its time is over. What it printed is believed
// only if it is one word of printable ASCII, at most 16,384 characters, and the
// exit code 0. It is kept five minutes, or what CLAUDE_CODE_API_KEY_HELPER_TTL_MS
// says; Refused drops it after a 401.
//
// Between processes the token is kept in a file of mode 0600 in a private folder,
// for as long as in memory. Without one, two hundred processes that start
// together would run the script, and perhaps ask for a second factor, two hundred
// times. The file gives nothing to a thief that running the script would not give:
// it can be read only by the user whose script it is, for minutes, and is named by
// the hash of command, settings file and server, so that another script, another
// file or another server never gets it. Where no such file can be kept, everything
// works in memory alone.
//
// It must never run a script that stands in a file of a project which was not
// trusted, put what a script printed on standard output into an error, or quote
// the script's line, which may hold a secret.
package helper
