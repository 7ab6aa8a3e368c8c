// Package credential is what a signed-in member holds: a short-lived access
// token, the refresh token that renews it, and the moment it ends.
//
// A Pair is one link of a rotating chain: using the refresh token makes the
// next link and retires this one. So a pair has exactly one home at a time (see
// package keystore), and whoever holds a copy must be ready to find that the
// home has moved on.
//
// Its JSON form is the credentials file that the official SDKs and Claude Code
// read, refresh and rewrite themselves (version "1.0"):
//
//	{"version":"1.0","type":"oauth_token","access_token":"…","refresh_token":"…","expires_at":1795352810}
//
// The access token is a JWT. ReadClaims looks inside for display and to learn
// its length of life; it verifies nothing, and nothing may be allowed or denied
// by what it says. This package does no input or output.
package credential
