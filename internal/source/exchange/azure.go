package exchange

import (
	"context"
	"net/url"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/source"
)

const foundryScope = "https://ai.azure.com/.default"

func (s Source) azure(ctx context.Context, token secret.Text) (secret.Text, time.Time, error) {
	at := endpoint(s.Machine, "AZURE_AUTHORITY_HOST", "https://login.microsoftonline.com")
	got, err := s.Machine.Fetch(ctx, source.Request{URL: at + "/" + url.PathEscape(s.Cloud.Tenant) + "/oauth2/v2.0/token", Form: url.Values{
		"grant_type": {"client_credentials"}, "client_id": {s.Cloud.Client}, "scope": {foundryScope},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {token.Reveal()}}})
	if err != nil {
		return secret.Text{}, time.Time{}, err
	}
	return s.oauth("Microsoft Entra", got)
}
