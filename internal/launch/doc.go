// Package launch makes the environment in which a program uses the sign-in and
// nothing else, writes that environment down for shells and files, and starts
// programs in it.
//
//	Door.Clean     a copy of an environment without what competes
//	Private.Clean  the same, with an endpoint and a token of this machine instead of a profile
//	Direct.Clean   the same, with what leads straight to a cloud provider
//	Format.Render  the same as lines for sh, fish, PowerShell, a .env file, GitHub Actions or JSON
//	Start          on Unix the program takes our place; on Windows we wait for it
//	Attend         we wait for the program, on every system
//
// A competitor is a variable that Claude Code or an official SDK prefers to the
// SDK profile of the sign-in, or that names another provider's credential: with
// one of them set, somebody else pays without anybody noticing.
//
// It must never tell the value of a variable that it takes away, put a secret
// into an environment that is good for longer than the program runs, or stand
// between a program and its terminal.
package launch
