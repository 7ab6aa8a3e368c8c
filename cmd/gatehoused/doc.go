// Gatehoused is the server: console, authorization server and gateway in one
// process.
//
//	gatehoused serve    serve an organization
//	gatehoused demo     serve a sample organization with a simulated model
//	gatehoused owner    get in from the server's shell when nobody can sign in
//	gatehoused verify   prove that the record of activity is whole
//	gatehoused version
//
// What is printed on stdout is data; what is said on stderr is for people. It
// exits with 0 if it did what was asked, 1 if not, and 2 if the command line or
// the configuration is wrong.
package main
