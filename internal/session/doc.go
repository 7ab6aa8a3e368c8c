// Package session keeps device sessions: one sign-in on one device through one
// door, with the tokens that come from it.
//
// A session hands out short access tokens (JWT, RFC 9068 in spirit) and one
// refresh token at a time. Presenting the refresh token gives its successor:
//
//	           present within Grace of its first use: the same successor again
//	               ┌──┐
//	unused ──▶ used, newest but one ──▶ used, older
//	               │ after Grace            │ at once
//	               └────────────┬───────────┘
//	                            ▼
//	            somebody has a copy: the whole session ends
//
// The successor is derived from the presented token under the server's key, so
// processes that race each other get one and the same, and nothing needs to be
// stored in the clear to repeat an answer that was lost on the way.
//
// Ending a session ends its tokens on every node, also in the middle of a stream.
package session
