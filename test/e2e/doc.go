// Package e2e goes through every door of a running server with the clients
// that people use: Claude Code, the official SDKs and the member's command.
//
// The programs are the shipped ones, each client has a home folder of its own,
// and sign-ins are approved in a browser by pressing the buttons that are there.
// A test here says what a member sees. What a server does inside is proven
// beside the package that does it.
package e2e
