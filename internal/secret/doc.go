// Package secret holds what must never be printed.
//
// Text is a secret in memory: formatting, JSON, text marshalling and slog all
// give "[redacted]". Only Reveal gives the value, so a reader can search for
// every place that does.
//
// Mint makes the credentials Gatehouse hands out: a prefix that says what it
// is, 256 random bits in base62 and a 6-character checksum,
//
//	sk-gate-api01-<43 digits><6 digits>
//
// so that scanners find a leaked one, other endpoints can refuse it, and a
// typing error is caught without a look-up. Only the SHA-256 of a credential is
// ever stored.
package secret
