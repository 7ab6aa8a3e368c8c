// Package api has the wire types of Gatehouse's HTTP APIs, for programs in Go.
// It imports the standard library only.
//
// The Admin API has the paths and shapes of Anthropic's, so a program written
// for that one works here with another base URL. Times are RFC 3339 in UTC with
// microseconds; ids are opaque strings; a list is a page (Page, CursorPage).
package api
