// Package cloud stands in for the clouds that offer Claude: Amazon Bedrock and
// STS, Claude Platform on AWS, Google's Vertex AI with its token and IAM services,
// and Microsoft Foundry with Entra.
//
// Each checks what the real one checks: Signature Version 4 is computed again from
// the bytes that arrived, assertions are verified, temporary credentials end, and a
// body with a member that the provider does not know is refused in the provider's
// own words. Behind each the model is package testkit/upstream's, so that usage
// adds up. Frames of Bedrock are written with AWS's encoder: no fault of ours is
// shared with what it tests.
package cloud
