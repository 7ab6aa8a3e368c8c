// Package envelope writes faults the way Anthropic's clients read them:
//
//	{"type":"error","error":{"type":"not_found_error","message":"…"},"request_id":"req_…"}
//
// It is the one place where a fault's kind becomes a status and a type. It must
// never show the cause of a fault, and never turn a fault of ours into a 401 or
// 403: clients sign their users out on those.
package envelope
