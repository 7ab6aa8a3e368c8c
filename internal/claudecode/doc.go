// Package claudecode knows the settings of Claude Code: which members make it use
// a sign-in, where the files are, and what it would use instead.
//
//	helper   env.ANTHROPIC_BASE_URL and apiKeyHelper: it asks "gatehouse token"
//	profile  env.ANTHROPIC_PROFILE: it uses the SDK profile and renews it itself
//	gateway  forceLoginMethod and forceLoginGatewayUrl: people sign in with /login,
//	         nothing of ours is needed; honoured in managed settings alone
//
// The members are written and taken back by package settingsfile.
//
// It must never name a member that is not the door's, or tell a value that it
// found.
package claudecode
