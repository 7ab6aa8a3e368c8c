// Package admin is the Admin API, with the paths and shapes of Anthropic's:
// members, invitations, workspaces, service accounts, groups, custom roles, rate
// limits and API keys; and, in the same style, upstreams, which that one does not
// have. Every request needs an admin key, in x-api-key or as a
// Bearer token; a path answers with and without ?beta=true. Requests are limited
// to 100 a minute and organization, and invitations to 1,200 an hour.
//
// The door reads requests strictly and leaves every decision to the rooms. What
// it decides itself is what this API never does, whoever asks: it makes nobody
// an owner or admin.
package admin
