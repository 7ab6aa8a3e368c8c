// Package totp makes and checks one-time codes by time (RFC 6238), as every
// authenticator app computes them: SHA-1, six digits, thirty seconds.
//
// A code is good for its own step of time, the one before and the one after.
// Check says which step a code belongs to, and takes none that is not later than
// the last one used: whoever sees a code being typed cannot use it again. The
// caller stores that step, and only one of two at once may store the same.
//
// The package is pure: it reads no clock.
package totp
