// Package settingsfile changes settings files of other programs, and takes the
// change back.
//
// A File is the person's. Only the members of a change are written, in place:
// order, spacing, comments and everything else stay as they are. What is going
// to happen is a Plan, whose bytes can be shown before anybody says yes; what was
// shown is what Commit writes, or nothing. A copy is made first, and a record of
// the change is kept, so that PlanUndo restores the very same bytes, or, if the
// file was edited meanwhile, just our members.
//
//	File.Plan ──► Plan ──► (a person looks) ──► Plan.Commit
//	File.PlanUndo ──┘
//
// It must never write over a file that it could not read in its dialect, change
// a member that is not in the change, write through a link without knowing where
// it leads, touch a file that belongs to somebody else, or lose the only copy of
// anything.
package settingsfile
