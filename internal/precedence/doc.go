// Package precedence says which credential Claude Code uses on this machine, and
// why none of the others.
//
//	Read    looks at everything that Claude Code looks at, and keeps no secret
//	Decide  is the choice, a pure function of what was read
//	Explain tells the choice to a person: every source, found or not, where,
//	        until when, who pays, and why it lost
//
// The order, highest first:
//
//	gateway session    made with /login at a gateway; over providers and keys too
//	provider           CLAUDE_CODE_USE_…: Bedrock, Foundry, Claude Platform on AWS,
//	                   Mantle, Vertex
//	ANTHROPIC_AUTH_TOKEN, ANTHROPIC_API_KEY, apiKeyHelper
//	                   the first fills Authorization, the second x-api-key, the
//	                   helper what is left: two may be sent at once
//	CLAUDE_CODE_OAUTH_TOKEN
//	profile            that ANTHROPIC_PROFILE names, the federation of the
//	                   environment, or an active profile that federates; where one
//	                   is, the sign-in of /login is not read, but a key that /login
//	                   stored is sent first
//	login              claude.ai, with the right to use models
//	stored key         made by /login at the Claude Console
//	active profile     of a person
//
// A variable has the value of the last that sets it: shell, user, project, local,
// managed. An empty value in settings takes the shell's away. A settings file with
// a mistake is left out as a whole, managed settings member by member. In a folder
// that is not trusted Claude Code asks first, "claude -p" does not.
//
// All of this was measured with Claude Code, and the tests compare the two. The
// settings that Anthropic's server or a gateway delivers, and what a policyHelper
// prints, are not evaluated: a note says that they exist.
//
// It must never run a helper, use the network, change anything, or tell a secret.
package precedence
