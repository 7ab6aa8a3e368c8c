// Package apikey keeps API keys and admin keys.
//
//	active ⇄ inactive → archived (for good)     and any of them past its expiry is expired
//
// A key belongs to the member who made it and can do no more than that member
// can at the moment of use. An admin key belongs to its organization and opens
// the Admin API. The value is shown once; only its SHA-256 is kept.
package apikey
