// Package scale fills an organization until it has the size of a large one:
// members, keys, sessions, invitations, letters, requests, and a record of
// activity that is signed from its first entry to its last.
//
// It writes rows as the rooms would leave them, many at a time, and the record
// through the store, so that a server which is started on the database goes on
// with it and `gatehoused verify` finds nothing wrong. Names and numbers are the
// same at each call, ids are not.
package scale
