// Package admin is the Admin API, with the paths and shapes of Anthropic's:
// reading the organization and its API keys, and renaming, switching off and
// archiving keys. Every request needs an admin key, in x-api-key or as a Bearer
// token; a path answers with and without ?beta=true. Requests are limited to
// 100 a minute and organization.
package admin
