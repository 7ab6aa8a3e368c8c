// Package server is the whole server as an object: a Config goes in, Open
// builds everything, Run serves until its context ends, Close lets go.
//
// It is the only place where parts are put together: which store implements
// what the rooms ask for, which doors are mounted, which jobs run. It decides
// nothing else. The list of what is open to requests without a credential is in
// mount.go, and a test compares it with what the mux really serves.
package server
