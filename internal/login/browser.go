package login

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// Browser signs in through a browser on this machine: authorization code, PKCE
// and a redirect to 127.0.0.1. open is called once with the address to show; its
// error is returned as Unsupported, so that the caller can take the other way.
// It waits until the owner has decided or ctx ends, and fails with Denied if
// they said no.
func (c *Client) Browser(ctx context.Context, device Device, open func(ctx context.Context, address string) error) (credential.Pair, error) {
	if c.Server.Authorization == "" {
		return credential.Pair{}, fault.New(fault.Unsupported, "%s offers no sign-in through a browser", c.Server.Origin)
	}
	verifier, state := random(), random()
	callback, err := listen(expectation{state: state, issuer: c.Server.Origin, issuerRequired: c.Server.SendsIssuer})
	if err != nil {
		return credential.Pair{}, err
	}
	defer callback.close()
	address, err := c.authorizeURL(device, verifier, state, callback.redirect)
	if err != nil {
		return credential.Pair{}, err
	}
	if err := open(ctx, address); err != nil {
		return credential.Pair{}, fault.New(fault.Unsupported, "no browser could be opened: %w", err)
	}
	code, err := callback.wait(ctx)
	if err != nil {
		return credential.Pair{}, err
	}
	return c.grant(ctx, url.Values{"grant_type": {"authorization_code"}, "code": {code.Reveal()},
		"redirect_uri": {callback.redirect}, "code_verifier": {verifier.Reveal()}}, secret.Text{})
}

// The address carries the hash of the verifier and a state that is worth nothing
// without it, so it may stand in a process list.
func (c *Client) authorizeURL(device Device, verifier, state secret.Text, redirect string) (string, error) {
	u, err := url.Parse(c.Server.Authorization)
	if err != nil {
		return "", fault.Wrap(fault.Invalid, err, "the server's authorization endpoint cannot be used")
	}
	sum := sha256.Sum256([]byte(verifier.Reveal()))
	query := u.Query()
	for name, value := range map[string]string{"response_type": "code", "client_id": ClientID, "redirect_uri": redirect,
		"code_challenge": base64.RawURLEncoding.EncodeToString(sum[:]), "code_challenge_method": "S256", "state": state.Reveal()} {
		query.Set(name, value)
	}
	device.tell(query)
	u.RawQuery = query.Encode()
	return u.String(), nil
}

// random is 256 bits: a PKCE verifier (RFC 7636, section 4.1) or a state.
func random() secret.Text {
	var raw [32]byte
	rand.Read(raw[:])
	return secret.New(base64.RawURLEncoding.EncodeToString(raw[:]))
}

// Display reports whether a browser started on this machine would be seen by
// the person who started the command. get reads the environment.
func Display(system string, get func(string) string) bool {
	if get("SSH_CONNECTION") != "" || get("SSH_TTY") != "" {
		return false
	}
	switch system {
	case "darwin", "windows":
		return true
	}
	return strings.TrimSpace(get("DISPLAY")+get("WAYLAND_DISPLAY")) != ""
}
