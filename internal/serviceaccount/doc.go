// Package serviceaccount keeps principals that are no person: what runs in the
// night, or in a build.
//
//	made → archived (for good; its keys stop at once, everywhere)
//
// A service account is a name in an organization. It is in workspaces with a
// role, as members are (package workspace), and in the default one without. What
// it may do is access.ServiceRights, by its keys (package apikey).
package serviceaccount
