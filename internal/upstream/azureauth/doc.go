// Package azureauth proves to Microsoft Foundry who asks, by a token of Entra.
//
//	a client's secret   of an app registration, kept sealed
//	ambient             the identity of this server: a workload's federated token, or
//	                    the managed identity of a machine or app
//
// Tokens are for the scope https://ai.azure.com/.default and are renewed in the
// background (package lease). A key of the resource needs none of this.
//
// The ambient way lends the server's own rights to whoever may connect an
// upstream: whoever runs the server must have said that this is meant.
package azureauth
