// Package anthropicaws is the upstream that speaks Claude Platform on AWS: the
// Messages API of Anthropic, entered and paid through AWS.
//
// It sends what package anthropic sends, signed for AWS or with a key, and names the
// workspace that the requests belong to.
package anthropicaws
