// Package nodes runs servers inside the test: on addresses of their own, with a
// clock that the test turns, over SQLite and over PostgreSQL, one node or
// several on one database. It also plays the people: it signs them in at the
// real pages with a cookie jar and approves devices as they would.
package nodes
