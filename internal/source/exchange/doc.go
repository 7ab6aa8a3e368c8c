// Package exchange turns the sign-in into a credential of a cloud, where the
// organization sends requests straight to one:
//
//	aws    AssumeRoleWithWebIdentity of STS: keys that end
//	gcp    Google's token service (RFC 8693), and a service account that is taken on
//	azure  the client credentials grant of Entra with a federated assertion (RFC 7523)
//
// The cloud trusts an identity token of the server. Nothing is stored, and none of
// the clouds' libraries is linked: the three exchanges are one or two requests each.
//
// It must never hand out what ends within a minute, and put no token into an error, a
// URL or an argument.
package exchange
