// Package quota keeps to what a provider's account may be asked in a minute.
//
// A pool is such an account: several upstreams may draw from one. For each model it
// has so many requests and tokens a minute, which come back evenly, as providers count
// them. What a request takes is estimated before and corrected when it is known. A
// provider that says it is exhausted is believed, also for the other upstreams of the
// pool.
//
// A node counts what passes through itself. Where there are several, each is given its
// part, or the provider's own refusals do the rest.
package quota
