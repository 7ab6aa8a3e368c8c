// Package file keeps credential pairs in files of mode 0600: the credentials
// files of the official SDKs' profiles.
//
// The pair that "gatehouse token" hands out and the pair that an SDK or Claude
// Code reads and renews by itself are the same file, so there is one refresh
// token chain and one home for it. Our own processes keep apart by a lock file
// beside it (NAME.lock). The SDKs do not know that lock; that is why package
// refresh reads again before it writes or believes a refusal, and why the server
// answers a refresh token that was just used with the same successor.
//
// It must never follow a symbolic link, read a file that others could read or
// write, or leave a half-written one.
package file
