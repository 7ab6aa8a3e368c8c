// Package inspector knows who opens TLS: products of companies, of networks and of
// virus scanners that put a certificate of their own in the place of a server's.
//
// They call themselves by name in the certificates that they make, so that a
// message can name them. It must never decide whether a certificate is good: a
// name is written by anybody.
package inspector
