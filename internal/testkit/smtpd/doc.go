// Package smtpd is a mail server for tests. It speaks real SMTP on loopback, with
// STARTTLS, implicit TLS and AUTH, keeps what it is sent, taken apart, and fails
// where it is told to.
package smtpd
