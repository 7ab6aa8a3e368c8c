// Package recipe writes what is pasted elsewhere: the workflow of the GitHub
// Action of Claude Code, and the few lines that an SDK needs.
//
// A recipe names where a secret is kept, and is refused for a value that has the
// form of one: what it writes is committed and shared.
package recipe
