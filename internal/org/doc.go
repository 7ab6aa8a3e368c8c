// Package org keeps organizations and their members: who is in, as what.
//
// A member is an account in an organization, with a role. What a member may do
// is computed from the role at the moment of use, never stored with a
// credential. Members are added and never deleted; one who leaves is marked.
package org
