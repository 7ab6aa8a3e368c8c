package checkup

// Codes say why a check is not ok. Whoever shows a report knows their
// sentences; a code that is not known is shown as it is.
const (
	Unsupported  = "unsupported"   // system: nothing of this runs on it
	Unnamed      = "unnamed"       // server: none is named
	Unreachable  = "unreachable"   // server: nothing answers
	Untrusted    = "untrusted"     // server: its certificate is not trusted here
	NotGatehouse = "not_gatehouse" // server: something else answers
	Unavailable  = "unavailable"   // server: it cannot answer just now
	Wrong        = "wrong"         // clock: by so much that sign-ins fail
	Drifting     = "drifting"      // clock: by less
	NoAddress    = "no_address"    // proxy: a variable holds no address
	InTheWay     = "in_the_way"    // proxy: the server is on this machine, and goes through one
	NotFound     = "not_found"     // claude: not in PATH
	NotRunning   = "not_running"   // claude: it does not say its version
	TooOld       = "too_old"       // claude
	Outranked    = "outranked"     // credentials: Claude Code prefers others
	Unreadable   = "unreadable"    // credentials, store: a file cannot be read
	Exposed      = "exposed"       // store: others may read or change it
	SignedOut    = "signed_out"    // sign_in: nobody is
	Ended        = "ended"         // sign_in: it was, and the server ended it
)
