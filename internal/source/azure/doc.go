// Package azure finds the credential for Claude in Microsoft Foundry where
// Azure's own programs look for it, without their SDK.
//
//	ANTHROPIC_FOUNDRY_AUTH_TOKEN                  a token, which wins
//	ANTHROPIC_FOUNDRY_API_KEY                     a key of the resource
//	AZURE_CLIENT_SECRET, AZURE_TENANT_ID, …       a service principal
//	AZURE_FEDERATED_TOKEN_FILE                    a workload of Kubernetes
//	IDENTITY_ENDPOINT, IDENTITY_HEADER            the identity of an app
//	az account get-access-token                   the account of the tool
//	the metadata service                          the identity of a virtual machine
//
// Tokens are for the scope https://ai.azure.com/.default. The tool is asked
// before the metadata service, which on other machines answers never.
//
// It must never sign in, or send a secret anywhere but to the authority by https
// and to an identity endpoint of this machine.
package azure
