// Package id has a type for every kind of identifier, so that an API key's id
// cannot be passed where a member's is wanted.
//
// An id is a prefix that names its kind and 22 random base62 digits (128 bits
// and a little more): "apikey_3fKz…". Organizations are the exception: clients
// of the Admin API expect a bare UUID there. Ids are unguessable but never
// secret, and knowing one grants nothing.
package id
