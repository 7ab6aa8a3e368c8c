// Package claudecode points Claude Code at our server by changing its user
// settings, and takes the change back.
//
//	helper   env.ANTHROPIC_BASE_URL and apiKeyHelper: it asks "gatehouse token"
//	profile  env.ANTHROPIC_PROFILE: it uses the SDK profile and renews it itself
//
// The settings are the person's file. Only the keys of the door are changed, in
// place: order, spacing and everything else stay as they are. A copy is made
// first, and a record of the change is kept, so that Undo restores the very same
// bytes, or, if the file was edited meanwhile, just our keys.
//
// It must never write over a file that it could not read as JSON, change a key
// that is not the door's, or lose the only copy of anything.
package claudecode
