// Package catalogue knows what a model is called on each provider, and what each
// provider can do.
//
// Both are data with a source and a date in every row (catalogue.json), which
// whoever runs the server may add to or correct with a file of the same form; no
// release is needed for a new model or a beta that a provider has come to take.
// Names follow the rules that providers follow, and the data says only where one
// does not: a model of tomorrow is found as well.
//
//	claude-sonnet-4-5-20250929    the Anthropic API, Claude Platform on AWS
//	us.anthropic.claude-sonnet-4-5-20250929-v1:0    Bedrock, with a geography
//	claude-sonnet-4-5@20250929    Google Cloud
//	my-deployment                 Foundry, where the deployment's name decides
//
// A beta and the members of a body that need it go together: if one is left out,
// so are the others, or the provider would refuse what it does not know.
package catalogue
