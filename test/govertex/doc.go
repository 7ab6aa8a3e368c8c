// Command govertex asks gateways as the official Go SDK does in its Vertex mode.
//
// It reads a list of {"url", "key", "model"} on stdin, asks each, whole and streamed,
// and prints in their order what came back. What is refused is asked with another key.
//
// It is a module of its own: the SDK's package for Vertex asks for Google's client
// libraries, which nothing of the project itself needs. Of these, what carries a token
// over HTTP is put in the place of the whole (see googleapi); the SDK is as published.
package main
