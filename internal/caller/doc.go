// Package caller says who is asking: the first argument of every act.
//
// A Caller is made at one door from one accepted credential and is never
// changed afterwards. It carries the principal, the organization it acts in,
// the key or device session it came with, what it may do, and the way in. The
// zero Caller is nobody and may do nothing.
package caller
