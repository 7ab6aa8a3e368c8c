package gateway

import (
	"net/http"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// credential reads the credential of a request. Clients send it as a bearer
// token, as x-api-key, or the same in both. Two that differ are refused: to
// choose one would be to guess who is asking. The result is empty if none was
// sent.
func credential(h http.Header) (secret.Text, error) {
	var presented string
	for _, value := range h["X-Api-Key"] {
		if err := one(&presented, strings.TrimSpace(value)); err != nil {
			return secret.Text{}, err
		}
	}
	for _, value := range h["Authorization"] {
		scheme, token, ok := strings.Cut(value, " ")
		if !ok || !strings.EqualFold(scheme, "Bearer") {
			return secret.Text{}, fault.New(fault.Unauthenticated, "the Authorization header is not of the form \"Bearer <credential>\"")
		}
		if err := one(&presented, strings.TrimSpace(token)); err != nil {
			return secret.Text{}, err
		}
	}
	return secret.New(presented), nil
}

// one takes another credential if it is the first or the same. A foreign one
// beside another wins, so that it is refused for what it is.
func one(presented *string, another string) error {
	switch {
	case *presented == "" || secret.Foreign(another):
		*presented = another
	case another == "" || another == *presented || secret.Foreign(*presented):
	default:
		return fault.New(fault.Unauthenticated, "the Authorization and x-api-key headers hold different credentials").WithHint("send one of them, or the same in both")
	}
	return nil
}
