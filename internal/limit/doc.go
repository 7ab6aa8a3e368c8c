// Package limit counts how often something is tried under a name (an address,
// an account, a credential) and refuses what comes too fast.
//
// Each name has a token bucket. Names are bounded: when there are too many, a
// full bucket makes room where one is at hand, as dropping that changes nothing. The counts are this process's own; several nodes allow
// several times as much.
package limit
