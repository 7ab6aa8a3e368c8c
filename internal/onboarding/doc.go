// Package onboarding leads a member from the invitation to the first answer, and
// shows those who run the organization who is where.
//
// A member's set-up has five steps. What is noted are facts, each once and with
// its time; the step follows from them, and is the first that is not done:
//
//	             joined
//	               │
//	               ▼
//	┌─ check ──────────────┐  the machine passed:   a report without a failure of
//	│                      │                        the machine, or a sign-in
//	└──────────┬───────────┘
//	           ▼
//	┌─ install ────────────┐  Claude Code is there: a report found it, or it has
//	│                      │                        signed in itself
//	└──────────┬───────────┘
//	           ▼
//	┌─ sign in ────────────┐  a device session was started
//	│                      │
//	└──────────┬───────────┘
//	           ▼
//	┌─ first request ──────┐  a request was answered, whatever credential it had
//	│                      │
//	└──────────┬───────────┘
//	           ▼
//	         done              and never again undone
//
// A later fact stands for the earlier ones where it proves them, so nobody is
// asked to do what they have done in another way: whoever got an answer is done.
//
// Facts come from where they happen: reports from here, sign-ins from the store
// of sessions, answers from the ledger, each in the transaction that it is part
// of. Nothing is computed over the ledger when a page is looked at.
//
// A set-up code lets a machine that is not signed in yet report for one member.
// It can do nothing else, and a report (package checkup) holds no text.
package onboarding
