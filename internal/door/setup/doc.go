// Package setup is the door through which a member's machine reports what
// "gatehouse doctor" found there.
//
//	POST /setup-report   {"code": "BCDF-GHJK", "report": {…}}   or
//	                     {"report": {…}} with an access token of a session
//
// It is open, because the machine may not be signed in yet: a set-up code stands
// for one member and can do nothing but this. Wrong codes are counted by network
// address, and every wrong one is answered alike.
//
// It must never take a report that package checkup does not understand whole, or
// tell anything about the member whose code it was but the step that is next.
package setup
