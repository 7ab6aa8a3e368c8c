// Package source gives every kind of credential that can pay for Claude the same
// small face: what it is, where it comes from, until when it holds, who pays, and
// the credential itself.
//
//	account      the sign-in at a Gatehouse server, renewed by package refresh
//	api-key      a key or token in a variable
//	helper       a script in Claude Code's settings, run by package helper
//	sdk-profile  a profile of the official SDKs                 (source/sdk)
//	federation   an identity token, exchanged for an access token (source/sdk)
//	aws          Amazon Bedrock                                  (source/aws)
//	google       Google Cloud                                    (source/google)
//	azure        Microsoft Foundry                               (source/azure)
//
// The clouds are reached by their own files, commands and endpoints: none of
// their SDKs is linked. Which credential Claude Code would use is decided
// elsewhere; a source knows of no other.
//
// Machine is all that a source may touch. It runs commands within a time limit,
// reads bounded regular files, and asks token endpoints over https (over http on
// this machine alone, or at a link-local metadata address), follows no redirect
// and never sends a metadata request through a proxy.
//
// A source must never hand out what ends within a minute, put a credential into
// an error, a URL or an argument, or ask a person anything.
package source
