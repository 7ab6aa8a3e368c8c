package source

import (
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// IdentityToken reads a projected identity token: a file with one JWT, written
// anew before it ends. It fails as File does, and with Invalid if it is no token.
func (m Machine) IdentityToken(path string) (secret.Text, error) {
	raw, _, err := m.File(path)
	if err != nil {
		return secret.Text{}, err
	}
	return CheckIdentityToken(secret.New(strings.TrimSpace(string(raw))), path)
}

// CheckIdentityToken fails with Invalid for what cannot be an identity token.
// origin is what the error calls it.
func CheckIdentityToken(token secret.Text, origin string) (secret.Text, error) {
	if !credential.Printable(token) {
		return secret.Text{}, fault.New(fault.Invalid, "%s holds no identity token", origin)
	}
	return token, nil
}
