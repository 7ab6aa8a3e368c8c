// Package editor knows where VS Code, and the editors made from it, keep their
// settings, and which of them the extension of Claude Code honours.
//
// The extension looks for a way to sign in before it starts anything, in
// claudeCode.environmentVariables of the editor's user settings; what stands in
// the settings of Claude Code reaches only the program that it starts. So both
// files are set, and claudeCode.disableLoginPrompt says that no login is wanted.
// The files hold comments: they are changed as package jsontext does it.
//
// The plugin for JetBrains runs the claude command in the editor's terminal and
// has no such settings: those of Claude Code hold.
//
// It must never put a credential into an editor's settings: those are synced
// between machines.
package editor
