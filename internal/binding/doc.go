// Package binding decides which of a member's sign-ins belongs to a folder.
//
// What belongs where is in one file of the member's own, bindings.json in the
// configuration folder, which nobody else can read or write:
//
//	{"version":1,
//	 "folders":[{"path":"/home/ada/client-a","profile":"client-a"}],
//	 "remotes":[{"pattern":"github.com/acme/*","profile":"acme"}]}
//
// A folder counts for everything below it, and the deepest one that holds the
// working folder wins. Where there is none, the addresses of the git remotes of
// the repository are compared with the patterns, and the longest pattern wins.
// Symbolic links are resolved on both sides.
//
// A repository is somebody else's word: of it, nothing but the addresses of its
// remotes is read, by a parser of our own that follows no include, runs no
// program, waits for no pipe and opens no network path. What cannot be read or
// decided is an error and never "no binding".
//
// It must never take a binding, or anything that is run, from a repository.
package binding
