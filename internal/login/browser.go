package login

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/url"

	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
)

// Hands is how Browser reaches the person. Show is required.
type Hands struct {
	// Port is the port of the listener; 0 is any that is free.
	Port int
	// Show is called once, with the address to open. It must not wait for the
	// person.
	Show func(address string)
	// Pasted delivers what a person typed or pasted instead: the address that the
	// browser could not open, or CODE#STATE. Nil delivers nothing.
	Pasted <-chan secret.Text
	// Refused is told why something pasted was not taken; the wait goes on. It may
	// be nil.
	Refused func(error)
}

// Browser signs in through a browser: authorization code, PKCE and a redirect to
// 127.0.0.1, or a redirect that could not get here and was pasted. It waits until
// the owner has decided or ctx ends. It fails with Unsupported if the server or
// this machine has no means for it, before anything is shown, and with Denied if
// the owner said no.
func (c *Client) Browser(ctx context.Context, device Device, hands Hands) (credential.Pair, error) {
	if c.Server.Authorization == "" {
		return credential.Pair{}, fault.New(fault.Unsupported, "%s offers no sign-in through a browser", c.Server.Origin)
	}
	verifier, state := random(), random()
	callback, err := listen(hands.Port, expectation{state: state, issuer: c.Server.Origin, issuerRequired: c.Server.SendsIssuer})
	if err != nil {
		return credential.Pair{}, err
	}
	defer callback.close()
	address, err := c.authorizeURL(device, verifier, state, callback.redirect)
	if err != nil {
		return credential.Pair{}, err
	}
	hands.Show(address)
	code, err := callback.wait(ctx, hands)
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
