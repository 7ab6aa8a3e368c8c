// Package access decides whether a caller may do something. It is the one place
// that does: pure, without a clock or a database, default deny.
//
// Rooms ask at the first line of every method. A thing of another organization
// does not exist for the caller (NotFound); a right the caller lacks is Denied
// with the organization, the role, the missing right and whom to ask.
package access
