// Package ledger proves with the real program that the ledger counts what the
// upstream counted: request by request, also when the server is killed in the
// middle of its work.
package ledger
