// Package route is how doors say what they serve: a pattern, a handler, and
// whether a request needs a credential. Doors return their routes; the server
// mounts them and keeps the one list of what is open.
package route
