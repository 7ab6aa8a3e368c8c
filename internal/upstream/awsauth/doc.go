// Package awsauth proves to AWS who asks: for Amazon Bedrock, and for Claude
// Platform on AWS.
//
// There are four ways in:
//
//	a bearer key   sent as it is
//	an access key  of an IAM user, kept sealed
//	ambient        the default chain of the AWS SDK, in the environment of this server
//	a role         assumed with either of the two before; each member gets a session
//	               under the member's name, so that CloudTrail and the bill name it
//
// Requests are signed with Signature Version 4
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html), body
// included. Temporary credentials are renewed in the background (package lease).
//
// The ambient ways lend the server's own rights to whoever may connect an
// upstream: whoever runs the server must have said that this is meant.
package awsauth
