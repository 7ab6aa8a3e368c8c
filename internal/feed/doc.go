// Package feed tells a node what changed, whoever changed it.
//
// Every change is an entry of the activity log, in the order of its commit. Each
// node reads on from where it was, several times a second and at once after a
// change of its own, and tells its listeners: credentials are asked for again,
// caches are dropped. So what is revoked on one node stops on all within the
// interval, and a node that lost the database catches up when it is back.
//
// An older state of the database may be put back under a running node, or a
// lagging copy may take over. The feed notices, as the last entry it told is
// gone or another, and tells its listener to ask for everything again.
package feed
