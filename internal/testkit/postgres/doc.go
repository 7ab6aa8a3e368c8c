// Package postgres gives a test a PostgreSQL database of its own.
//
// The first call in a test process makes a temporary cluster in a folder of its
// own and serves it on a Unix socket in that folder, so that no port is taken
// and nothing on the network can reach it. Every call makes one database in it.
// The cluster goes when the process ends, however it ends.
//
// Durability is off: what is proven here is what the SQL does. It must never
// touch a server it did not start, and it never skips a test: without
// PostgreSQL the test fails and says how to get it.
package postgres
