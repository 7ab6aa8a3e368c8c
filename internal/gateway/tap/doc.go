// Package tap reads usage out of an answer while it flows by.
//
// A tap is shown every byte that goes to the client, in whatever pieces, and
// says at the end what the model reported. It understands two forms of answer:
//
//	Stream  server-sent events: message_start, message_delta, message_stop, error;
//	        content deltas are only measured
//	Document one JSON object with a member "usage"
//
// How the bytes were cut into pieces never changes the result. A tap keeps a
// bounded piece of the text, and only where a piece ends in the middle of
// something it wants. It must never change, hold back or retain the caller's
// bytes.
package tap
