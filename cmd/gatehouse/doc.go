// Command gatehouse is the member's side of Gatehouse: it signs a person in
// once, and hands out short-lived credentials to Claude Code, the official SDKs
// and any other tool.
//
//	gatehouse login --server https://gate.example.com
//	gatehouse setup claude-code
//	claude
//
// "gatehouse doctor" finds out what is in the way. "gatehouse use" chooses between
// several sign-ins, and binds them to folders.
//
// Standard output is data; everything said to a person goes to standard error.
// An error is one line that says what is wrong and the command that mends it.
//
// Exit codes:
//
//	0    done; after "run" has started a program, the program's exit code
//	1    failed
//	2    used wrongly: an unknown command, flag or value
//	3    not signed in, or the sign-in has ended
//	4    the server or the storage cannot be reached, or cannot answer now
//	5    this machine, server or version has no means for it
//	126  the program of "run" cannot be started
//	127  there is no such program to "run"
//	130  interrupted
//
// Environment:
//
//	GATEHOUSE_SERVER           the server to sign in at
//	GATEHOUSE_PROFILE          the sign-in that is meant, like --profile
//	GATEHOUSE_STORAGE          where to keep the credential, like --storage
//	GATEHOUSE_PASSPHRASE_FILE  a file of mode 0600 with the passphrase of the sealed storage
//	GATEHOUSE_AGENT            on: "token" starts an agent where none runs; off: none is asked
//	GATEHOUSE_AGENT_SOCK       the socket of the agent that tokens come from, and from nowhere else
//	GATEHOUSE_CONFIG_DIR       where gatehouse remembers its servers and bindings (~/.config/gatehouse)
//	ANTHROPIC_CONFIG_DIR       where the SDKs keep their profiles (~/.config/anthropic)
//	CLAUDE_CONFIG_DIR          where Claude Code keeps its settings (~/.claude)
//	ANTHROPIC_BASE_URL         where tokens are sent; none is printed for another server than the sign-in's
//	NODE_EXTRA_CA_CERTS        a file of certificates that are trusted too
//	HTTPS_PROXY                the proxy on the way to the server
//	NO_PROXY                   the hosts that are reached without it
//	BROWSER                    the program that opens a page
//
// It must never print a token but to the standard output of "token" and
// "credential", ask or open a browser outside "login", or link a cloud's SDK: it
// starts in milliseconds. "credential aws-refresh" and "gcp-refresh" run the
// cloud's own sign-in, which may open one.
package main
