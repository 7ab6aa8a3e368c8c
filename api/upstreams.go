package api

// Upstream is an account at a provider, where requests to models go. Upstreams
// are this server's own: the API of Anthropic does not have them. S is what their
// settings are read into: a struct with those that a program knows, or a
// map[string]any.
type Upstream[S any] struct {
	ID        string           `json:"id"` // "upst_…"
	Type      string           `json:"type" const:"upstream"`
	Name      string           `json:"name"` // one of a kind in the organization
	Provider  UpstreamProvider `json:"provider"`
	BaseURL   string           `json:"base_url"` // empty: the provider's own
	Settings  S                `json:"settings"` // those that are set, and no other
	CreatedAt Time             `json:"created_at"`
	Health    *UpstreamHealth  `json:"health"` // null: no request came to it since its organization's settings changed
}

// UpstreamHealth is how an upstream does for the requests of one node: the one
// that answers.
type UpstreamHealth struct {
	Type                string   `json:"type" const:"upstream_health"`
	CredentialExpiresAt *Time    `json:"credential_expires_at"` // before when it is renewed; null: it does not end, or nobody needed it yet
	Problem             *string  `json:"problem"`               // why there is no new credential; null: there is none needed
	RestingModels       []string `json:"resting_models"`        // for which it is passed over, because too much has failed
	RestingUntil        *Time    `json:"resting_until"`         // when the first of them is tried again; null: there are none
	FailedRequests      int64    `json:"failed_requests"`       // of the last ones
}

// UpstreamNew is the body that connects an upstream, behind those that there are.
type UpstreamNew[S any] struct {
	Name       *string          `json:"name,omitempty"` // at most 100 characters; absent: the provider's, with a number if that is taken
	Provider   UpstreamProvider `json:"provider"`
	BaseURL    *string          `json:"base_url,omitempty"`   // absent: the provider's own
	Credential *string          `json:"credential,omitempty"` // is in no answer
	Settings   *S               `json:"settings,omitempty"`
}

// UpstreamChange is the body that changes an upstream. What is absent stays; the
// settings are changed as a whole.
type UpstreamChange[S any] struct {
	BaseURL    *string `json:"base_url,omitempty"`   // empty: the provider's own
	Credential *string `json:"credential,omitempty"` // needed where it would go elsewhere than the stored one went
	Settings   *S      `json:"settings,omitempty"`
}

// UpstreamOrder is the body that puts all upstreams into an order.
type UpstreamOrder struct {
	IDs []string `json:"ids"` // of all of them, each once
}

// UpstreamDeleted is the answer when an upstream was removed, with its credential.
type UpstreamDeleted struct {
	ID   string `json:"id"`
	Type string `json:"type" const:"upstream_deleted"`
}

// UpstreamTestNew is the body that asks an upstream for one token.
type UpstreamTestNew struct {
	Model *string `json:"model,omitempty"` // absent: a small one
}

// UpstreamTest is what came of that.
type UpstreamTest struct {
	Type                string  `json:"type" const:"upstream_test"`
	UpstreamID          string  `json:"upstream_id"`
	Model               string  `json:"model"`   // that was asked
	Status              *int64  `json:"status"`  // of the provider's answer; null: there was none
	Answer              *string `json:"answer"`  // what the model said; null: nothing
	Problem             *string `json:"problem"` // null: all is well
	Hint                *string `json:"hint"`    // what to do about it, where that is known
	TookMS              int64   `json:"took_ms"`
	CredentialExpiresAt *Time   `json:"credential_expires_at"` // null: it does not end
}
