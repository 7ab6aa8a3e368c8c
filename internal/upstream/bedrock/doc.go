// Package bedrock is the upstream that speaks Amazon Bedrock's runtime:
// InvokeModel and InvokeModelWithResponseStream.
//
// A request is one of the Messages API; on its way out the model moves into the
// path under the name that it has on Bedrock, betas move into the body, and what
// Bedrock refuses is left out as a pair (package catalogue). A stream comes back as
// frames and is turned into server-sent events as it arrives. Everything else of a
// body is left byte for byte (package dialect).
//
// Tokens are counted by CountTokens:
// https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_CountTokens.html
//
// It must never follow a redirect, send a client's credential, let a request choose
// the address, or show a client an account, an ARN or a role.
package bedrock
