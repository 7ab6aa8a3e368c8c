// Package atomicfile reads and replaces small files that must never be seen
// half written, nor by anybody else.
//
// Replace writes a new file beside the target, forces it to the disk and renames
// it over the target: a reader finds the old content or the new, also after a
// crash. ReadPrivate refuses a file that another user of the machine owns, can
// read or could have put there by a symbolic link.
//
// It must never follow a link at the target, loosen a mode, or leave its own
// temporary file behind after an error.
package atomicfile
