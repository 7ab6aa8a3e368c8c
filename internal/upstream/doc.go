// Package upstream keeps where an organization's model requests go.
//
// An upstream has a provider (how it is spoken to), an address and a credential.
// The credential is sealed at rest and never shown again. How a provider is
// spoken to is in the folders below, one each; this package only keeps.
package upstream
