// Package activity reads the record to those who may: an organization's entries,
// filtered and searched, one of them with its place in the log, and all that a
// filter chooses as an export.
//
// Who may read the record reads all of it; everybody else what they did
// themselves. The package never writes an entry but the one that says that the
// record was exported.
package activity
