// Package password keeps passwords as argon2id hashes (RFC 9106), with a bound
// on the memory that hashing may take.
//
// A hash costs 19 MiB and two passes. Only a few are computed at once; the rest
// wait in a short queue, and beyond that the answer is RateLimited: a flood of
// sign-ins slows sign-ins down and nothing else.
package password
