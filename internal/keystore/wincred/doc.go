// Package wincred keeps small values in the Windows Credential Manager, as
// generic credentials of this machine and user, which do not roam.
//
// One holds at most 2,560 bytes (CRED_MAX_CREDENTIAL_BLOB_SIZE).
//
// It must never write a credential that other users or machines get.
package wincred
