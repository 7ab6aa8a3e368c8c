// Package openapi holds requests and answers to an OpenAPI 3.1 document: a
// Document is read from what a server serves, and a Recorder is a transport that
// checks everything that passes.
//
// Answers are held to more than the document says: a field that it does not name
// is an error, as is one that is not always there without being marked so.
package openapi
