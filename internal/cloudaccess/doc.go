// Package cloudaccess lets an organization's members reach a cloud themselves,
// where requests to models do not pass through this server: on Amazon Bedrock, on
// Google Cloud or on Microsoft Foundry.
//
// For that the server is an OpenID Connect issuer (OpenID Connect Discovery 1.0) that
// the organization's cloud account trusts. A member's sign-in is exchanged for an
// identity token (RFC 8693), and the cloud exchanges that for credentials of its own
// which end within hours:
//
//	access token ──here──▶ identity token ──the cloud──▶ cloud credential
//	(the sign-in)          10 minutes, one audience      1 hour and more
//
// Each organization is an issuer of its own, so that what one organization's cloud
// account trusts can never be said by a member of another, whatever its trust policy
// forgets to ask for. The tokens are signed with RS256, all that every cloud takes,
// and by keys that sign nothing else.
//
// Nothing here is a secret and nothing is stored for a member. Ending the sign-in ends
// the supply; what a cloud gave already lasts until it ends there.
package cloudaccess
