// Package migrated gives tests databases that the store has already laid out.
//
// The migrations are run once in a process, by the store itself, and every
// database is a copy of what they made: hundreds of tests need one each, and with
// the race detector the migrations take longer than most of the tests.
package migrated
