// Package jsontext changes single members of a JSON file that a person keeps,
// in place: order, spacing, comments and everything else stay as they are.
//
// It reads two dialects: Strict is JSON (RFC 8259); Comments is what VS Code
// keeps its settings in, JSON with // and /* */ comments and commas after the
// last member. A byte order mark is kept, an empty file is an empty object.
//
// It must never quote the content in an error, or give back what its own dialect
// would not read.
package jsontext
