// Package roster reads lists of people who are to be invited, as people have
// them: addresses pasted from a mail program, or a table from a spreadsheet.
//
// It only reads. Nothing in a list is evaluated, followed or looked up, and
// whether somebody may be invited is not its business. What is wrong with a line
// is said in words beside that line; only a list that is too long as a whole is
// refused.
package roster
