// Package breaker keeps requests away from upstreams that fail.
//
// There is a circuit for each upstream and model. It is closed while requests go
// well, and opens when half of the last twenty have failed, five at the least. Then
// the upstream is left alone for a while, and for twice as long each time that does
// not help; after that, one request tries whether it is back.
//
// A circuit is a hint, and no verdict: where no other upstream is left, one whose
// circuit is open is asked all the same.
package breaker
