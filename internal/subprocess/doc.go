// Package subprocess runs programs that somebody else wrote: credential scripts
// out of settings, and the command line tools of the clouds.
//
// Such a program may hang, print without end, or leave children behind that hold
// its output open. So it runs in a session and process group of its own without
// a terminal (one that asks a question fails at once), with nothing on standard
// input. When its time is over or it prints too much, the whole group is ended.
// A child that outlives a program which ended well is left alone, but not waited
// for longer than a second.
//
// It must never put what a program printed into an error, or let one run on
// after its context has ended.
package subprocess
