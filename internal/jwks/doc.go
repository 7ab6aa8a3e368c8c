// Package jwks keeps the keys that sign tokens.
//
//	made ──ActiveAt──▶ signs ──next key's ActiveAt──▶ verifies only ──overlap──▶ gone
//
// A set has the keys of one algorithm, shared by all nodes: Ed25519 for access
// tokens (EdDSA, RFC 8037), RSA for the identity tokens that are shown to clouds
// (RS256, RFC 7518), which take nothing newer. A new key is published before it
// signs, and an old one is published until the last token it signed has expired,
// so rotation disturbs nobody. Tokens are JWS compact (RFC 7515) of the set's
// algorithm and nothing else: a token that names another algorithm, or none, is
// refused before its signature is looked at.
package jwks
