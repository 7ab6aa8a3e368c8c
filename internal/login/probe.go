package login

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// Probe asks a model of the server for one token, and returns the model's name.
// twice sends the token in both headers, as Claude Code does with what a helper
// printed. It fails with Unauthenticated, Denied, RateLimited or Unavailable as
// the server says, with Invalid for an answer that is none of a model, and with
// Unsupported if there is no model for this person. Nothing is repeated.
func (c *Client) Probe(ctx context.Context, origin string, token secret.Text, twice bool) (model string, err error) {
	var models struct {
		Data []struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	if err := c.model(ctx, http.MethodGet, origin+"/v1/models?limit=100", token, twice, nil, &models); err != nil {
		return "", err
	}
	for _, m := range models.Data {
		if model == "" || strings.Contains(m.ID, "haiku") { // the least costly
			model = m.ID
		}
	}
	if model == "" {
		return "", fault.New(fault.Unsupported, "%s offers no model", origin)
	}
	ask, err := json.Marshal(map[string]any{"model": model, "max_tokens": 1, "messages": []map[string]string{{"role": "user", "content": "hi"}}})
	if err != nil {
		return "", err
	}
	var answer struct {
		Type string `json:"type"`
	}
	if err := c.model(ctx, http.MethodPost, origin+"/v1/messages", token, twice, ask, &answer); err != nil {
		return "", err
	}
	if answer.Type != "message" {
		return "", fault.New(fault.Invalid, "%s gave an answer that is none of a model", origin)
	}
	return clean(model), nil
}

// model makes one request of the model API.
func (c *Client) model(ctx context.Context, method, address string, token secret.Text, twice bool, body []byte, into any) error {
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "the server address cannot be used")
	}
	req.Header.Set("Authorization", "Bearer "+token.Reveal())
	if twice {
		req.Header.Set("X-Api-Key", token.Reveal())
	}
	req.Header.Set("Anthropic-Version", "2023-06-01")
	req.Header.Set("Content-Type", "application/json")
	got, err := c.do(req)
	if err != nil {
		return err
	}
	if got.status == http.StatusOK {
		if json.Unmarshal(got.body, into) != nil {
			return fault.New(fault.Invalid, "%s gave an answer that is not JSON", origin(req.URL))
		}
		return nil
	}
	var refused struct {
		Error struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	_ = json.Unmarshal(got.body, &refused) // an answer of something else says nothing
	kind := fault.Unavailable
	switch {
	case got.status == http.StatusUnauthorized:
		kind = fault.Unauthenticated
	case got.status == http.StatusForbidden:
		kind = fault.Denied
	case got.status == http.StatusPaymentRequired:
		kind = fault.Billing
	case got.status == http.StatusTooManyRequests:
		kind = fault.RateLimited
	case got.status < http.StatusInternalServerError:
		kind = fault.Invalid
	}
	if refused.Error.Message == "" {
		return fault.New(kind, "%s answered %d", origin(req.URL), got.status)
	}
	return fault.New(kind, "%s", clean(refused.Error.Message))
}
