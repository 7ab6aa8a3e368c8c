// Package sdk is the two ways in which the official Anthropic SDKs and Claude
// Code find a credential by themselves: a profile, and federation.
//
//	configs/NAME.json      user_oauth: an access token in credentials/NAME.json
//	                       oidc_federation: an identity token that is exchanged
//	the environment        ANTHROPIC_FEDERATION_RULE_ID, ANTHROPIC_ORGANIZATION_ID,
//	                       ANTHROPIC_IDENTITY_TOKEN_FILE or ANTHROPIC_IDENTITY_TOKEN,
//	                       ANTHROPIC_SERVICE_ACCOUNT_ID, ANTHROPIC_WORKSPACE_ID
//
// The exchange is the jwt-bearer grant (RFC 7523) at BASE/v1/oauth/token, with a
// JSON body and the beta values that the SDKs send.
//
// The refresh token of a profile belongs to whoever signed in with it: it is
// never used here, because using it would retire the copy that its owner holds.
// An identity token is sent to no other origin than that of the profile or of
// ANTHROPIC_BASE_URL, by https unless that is this machine.
package sdk
