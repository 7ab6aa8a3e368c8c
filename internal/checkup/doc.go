// Package checkup is what a look at a member's machine found: the words that the
// member's command and the server share.
//
// A check has a name, a state (ok, warn, fail) and a code that says why, all of
// closed sets. Sentences belong to whoever shows them: what travels to the
// server is names, codes and a few bounded facts, never text of the machine, a
// path or a value. So nothing secret can be in a report, and nothing hostile can
// be in what an admin reads.
//
// Decode reads a report from a stranger. It is strict: what does not fit the
// form is refused whole.
package checkup
