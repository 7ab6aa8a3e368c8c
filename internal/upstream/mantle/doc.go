// Package mantle is the upstream that speaks Bedrock's Messages endpoint, which AWS
// calls Mantle: the Messages API of Anthropic with Bedrock's names of models, signed for
// AWS or with a Bedrock API key. The newest models are there and not on Bedrock's
// runtime, for which there is package bedrock.
package mantle
