// Package anthropicauth gets in at the Anthropic API without a key: by workload
// identity federation.
//
// An identity token, which somebody signs whom the organization at Anthropic trusts,
// is exchanged for an access token of a service account there (RFC 7523, as in
// https://platform.claude.com/docs/en/manage-claude/wif-reference). That lives for
// less than a day and is renewed by package lease.
package anthropicauth
