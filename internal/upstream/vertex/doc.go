// Package vertex is the upstream that speaks Claude on Google Cloud's Vertex AI:
// rawPredict and streamRawPredict.
//
// On its way out a request's model moves into the path under the name that it has
// there, the body gets the version that Google wants, and betas that Google refuses
// are left out with the members that need them (package catalogue). Everything else
// of a body is left byte for byte; the answer is one of the Messages API already,
// stream or not. Tokens are counted by count-tokens:rawPredict.
//
// It must never follow a redirect, send a client's credential, let a request choose
// the project or the address, or show a client the project.
package vertex
