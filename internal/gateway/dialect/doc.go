// Package dialect turns the Messages format into what the clouds make of it, and
// back.
//
// Inside, a request is always a body of the Messages API, and an answer is JSON or
// server-sent events of that API. A cloud's form of them differs at the edges only:
//
//	            model     stream        anthropic_version    betas           a stream is
//	Messages    body      body          header               header          server-sent events
//	Bedrock     path      path          body                 body            frames (package eventstream)
//	Vertex      path      path, body    body                 header          server-sent events
//
// So requests are spliced, never decoded: the members that differ are taken out and
// put in, and every other one arrives byte for byte and in its place. Streams are
// turned event by event as they come. An upstream uses one direction, a door the
// other, and what both can say comes back as it was.
//
// It must never look into "messages", "system" or "tools", reorder members, or hold
// a stream back for more than the event that has not ended.
package dialect
