// Package storetest is the one suite that every database passes: what the rooms
// rely on, stated as tests over an opened store.
package storetest
