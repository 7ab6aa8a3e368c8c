// Package oauth is the authorization server's door for programs: metadata
// (RFC 8414), device authorization (RFC 8628), tokens (RFC 6749), revocation
// (RFC 7009), introspection (RFC 7662) and the key set (RFC 7517).
//
// Requests are forms; /v1/oauth/token takes JSON, as the Anthropic SDKs send it.
// A parameter that comes twice is refused, one in the query is not read, and
// bodies are small. Errors are those of RFC 6749 section 5.2, with one choice:
// a refresh token that is no longer good is 401 invalid_grant, which makes
// Claude Code ask for a new sign-in. A fault of ours is 503, so that nobody is
// signed out by it.
//
// A sign-in is exchanged for an identity token (RFC 8693), with which a member enters
// a cloud: each organization is an issuer of its own (OpenID Connect Discovery 1.0).
// /user/clouds says which clouds those are.
//
// The pages that people see are in door/console.
package oauth
