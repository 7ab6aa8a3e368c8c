// Package choice decides where a new sign-in is kept on this machine.
//
// Survey asks every backend whether it can be used, each for keystore.Patience at
// most; Choose takes the one that was named, or the first usable one in the order
// of the candidates. A file in the clear is never taken unless it was named.
//
// It must never fall back from a named backend to another one.
package choice
