// Package apikey keeps API keys and admin keys.
//
//	active ⇄ inactive → archived (for good)     and any of them past its expiry is expired
//
// A key belongs to the member who made it, or to a service account, and can do
// no more than that one can at the moment of use: it follows the member's role,
// groups, plan and place in the workspace down. What was made before its member
// came back to the organization is refused for good. An admin key belongs to its
// organization, opens the Admin API, and can do what its scopes name, as far as
// its maker still can. The value is shown once; only its SHA-256 is kept.
//
// A key that is rotated has a successor of the same name, workspace and rights,
// and goes on working for as long as was chosen.
package apikey
