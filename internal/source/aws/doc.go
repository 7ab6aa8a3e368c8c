// Package aws finds the credential for Amazon Bedrock where AWS's own programs
// look for it, without their SDK.
//
//	AWS_BEARER_TOKEN_BEDROCK                      a key of Bedrock
//	AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY   unless AWS_PROFILE is set
//	the profile's keys in ~/.aws/credentials and ~/.aws/config
//	aws configure export-credentials              SSO, roles and all else that the tool can do
//	the profile's credential_process              where the tool is not installed
//	AWS_CONTAINER_CREDENTIALS_*                   ECS and EKS
//	IMDSv2                                        EC2, unless AWS_EC2_METADATA_DISABLED is true
//
// This is the order of the chain in the SDK that Claude Code uses, whose time
// limit (CLAUDE_CODE_AWS_CHAIN_RESOLVE_TIMEOUT_MS, one minute) holds here too.
//
// It must never sign in, write a file of AWS, or send the authorization token of
// a container to another place than the container's own endpoint.
package aws
