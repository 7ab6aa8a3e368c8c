// Package workspace keeps the parts of an organization: each with its members,
// service accounts and keys, and with the models that it allows.
//
//	made → archived (for good; its keys stop at once, everywhere)
//
// The default workspace has no row, and the empty id. Everybody in the
// organization may use it by their rights there; it cannot be renamed, archived
// or listed. The workspace "Claude Code" is made by itself, at the first sign-in
// of a Claude Code in the organization, and holds these sign-ins and the keys
// for Claude Code. It cannot be archived: that would lock everybody out at once,
// for good. Claude Code is taken from somebody by a role without models.
//
// What a role in a workspace gives is decided in package access. Archiving marks
// the workspace alone: sources of credentials ask for the mark.
package workspace
