// Package lease keeps a credential that expires fresh.
//
// A Lease gets one when it is first asked, and from then on renews it in the
// background well before it expires, for as long as somebody goes on asking. A
// request waits only if there is no credential that is still good: a provider
// whose sign-in is slow or down for a while is not noticed by anybody. What went
// wrong, and until when the present one is good, can be seen.
package lease
