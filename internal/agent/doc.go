// Package agent holds a member's sign-in for all programs of one user, as an SSH
// agent holds keys: a process with a Unix socket that answers with access tokens,
// renews them ahead of time, and can be locked.
//
//	FOLDER/agent.sock                 all verbs, for this user alone
//	FOLDER/agent.lock                 held by the agent that lives
//	FOLDER/shared/PROFILE/agent.sock  "token" and "status" of one profile: what is
//	                                  forwarded over SSH or mounted into a container
//
// One connection is one request and one answer, each one line of JSON of at most
// 64 KiB (UTF-8, ended by a newline). Unknown fields are ignored; another version
// is refused.
//
//	{"v":1,"verb":"token","profile":"work","server":"https://gate.example.com","home":"…","refused":"…"}
//	{"v":1,"token":{"access_token":"eyJ…","expires_at":1767225600,"server":"https://gate.example.com"}}
//	{"v":1,"error":{"kind":"unavailable","message":"the agent is locked","hint":"gatehouse agent unlock"}}
//
//	token    an access token that is fresh, or at least usable if it cannot be
//	         renewed (credential.Pair). All fields but the verb may be missing:
//	         profile is then the default one; server, if given, must be the
//	         profile's; home, if given, must be the agent's (HomeOf), so that no
//	         program with another configuration gets this one's tokens; refused is
//	         the SHA-256, in hex, of a token that the server did not take
//	status   what the agent holds, without secrets
//	share    opens the shared socket of a profile, and gives its path
//	lock     forgets tokens and passphrase, and refuses until unlock
//	unlock   opens the storage again, with "passphrase" where it needs one
//	stop     ends the agent
//
// Folders have mode 0700 and sockets 0600. The agent asks the kernel who is at the
// other end and answers its own user alone; on a shared socket root too, which is
// what a container's user mostly is. A client looks at owner and mode before it
// speaks.
//
// In memory the agent has access tokens and perhaps a passphrase, never a refresh
// token: that stays in the storage, and only the exchange sees it. Lock lets go of
// the memory and does not wipe it, which Go cannot; the process cannot be dumped.
//
// It must never open a TCP port, hand out a refresh token, let a shared socket do
// more than token and status, or keep a token that a sign-out has ended.
package agent
