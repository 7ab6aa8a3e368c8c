// Package google finds the credential for Claude on Google Cloud where Google's
// own programs look for it, without their SDK.
//
//	GOOGLE_APPLICATION_CREDENTIALS                the file that it names
//	application_default_credentials.json          what "gcloud auth application-default login" left
//	gcloud auth print-access-token                the account of gcloud, where neither is there
//	the metadata service                          on Google's machines
//
// Two forms of the file are used here: that of a person (a refresh token, traded
// at Google's token endpoint) and that of a service account (RFC 7523: a signed
// assertion). The others, federation and taking on another account, are left to
// "gcloud auth application-default print-access-token".
//
// It must never sign in, write a file of gcloud, or send a refresh token or an
// assertion to an endpoint that is not Google's, whatever the file names.
package google
