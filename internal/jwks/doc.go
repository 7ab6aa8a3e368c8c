// Package jwks keeps the keys that sign access tokens.
//
//	made ──ActiveAt──▶ signs ──next key's ActiveAt──▶ verifies only ──Overlap──▶ gone
//
// Keys are Ed25519 and shared by all nodes. A new key is published before it
// signs, and an old one is published until the last token it signed has expired,
// so rotation disturbs nobody. Tokens are JWS compact (RFC 7515) with alg EdDSA
// (RFC 8037) and nothing else: a token that names another algorithm, or none, is
// refused before its signature is looked at.
package jwks
