// Package store keeps everything in SQLite or PostgreSQL, with one body of SQL
// for both.
//
// Rooms say in small interfaces what they need stored; the types here implement
// them, one file a room. A change of state goes through DB.record, which takes
// the audit.Event of the change and writes both in one transaction; there is no
// other way to change what matters. Upkeep that nobody needs to be told of (a
// device code's polls, a session's last use) goes through DB.upkeep.
//
// What differs between the two databases is in the dialect: opening, migrating,
// classifying an error. The SQL uses $1 placeholders, TEXT, BIGINT, BOOLEAN and
// BYTEA, RETURNING and ON CONFLICT, which mean the same in both.
//
// No rule of the product is decided here.
package store
