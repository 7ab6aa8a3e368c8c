// Package useragent says in words what a User-Agent header (RFC 9110, section
// 10.1.5) says, and whether two are of the same browser. It is what the browser
// claims, and proves nothing.
package useragent
