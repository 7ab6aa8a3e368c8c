package login

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/gatehouse-dev/gatehouse/internal/fault"
)

// ClientID is how the member's command is known to the authorization server.
const ClientID = "gatehouse"

const metadataPath = "/.well-known/oauth-authorization-server"

// Server is an authorization server as its metadata (RFC 8414) describes it.
// Every endpoint is on the issuer's origin; an empty one is not offered.
type Server struct {
	Origin        string `json:"server"`
	Authorization string `json:"authorization_endpoint,omitempty"`
	Device        string `json:"device_authorization_endpoint,omitempty"`
	Token         string `json:"token_endpoint"`
	Revocation    string `json:"revocation_endpoint,omitempty"`
	// SendsIssuer says that the server names itself in authorization answers (RFC 9207).
	SendsIssuer bool `json:"authorization_response_iss_parameter_supported,omitempty"`
	// Instance tells this server from another under the same name; "": it does not
	// say.
	Instance string `json:"instance_id,omitempty"`
	// Protocol is the version of the gateway protocol; 0: it does not say.
	Protocol int `json:"gateway_protocol_version,omitempty"`
}

// Check reports whether every endpoint stays on the origin. It fails with Invalid.
func (s Server) Check() error {
	origin, err := ParseServer(s.Origin)
	if err != nil {
		return err
	}
	if s.Token == "" {
		return fault.New(fault.Invalid, "%s says that it has no token endpoint", origin)
	}
	for _, endpoint := range []string{s.Authorization, s.Device, s.Token, s.Revocation} {
		if endpoint != "" && !within(origin, endpoint) {
			return fault.New(fault.Invalid, "%s points to another place, %q, which a sign-in must not follow", origin, clean(endpoint))
		}
	}
	return nil
}

// Discover asks a server, named by an address that ParseServer takes, for its
// metadata. It fails with Invalid if what answers is not a Gatehouse server or
// gives itself out for another, and with Unavailable if nothing answers.
func (c *Client) Discover(ctx context.Context, address string) (Server, error) {
	origin, err := ParseServer(address)
	if err != nil {
		return Server{}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, origin+metadataPath, nil)
	if err != nil {
		return Server{}, fault.Wrap(fault.Invalid, err, "the server address cannot be used")
	}
	answer, err := c.do(req)
	if err != nil {
		return Server{}, err
	}
	if err := stranger(origin, answer); err != nil {
		return Server{}, err
	}
	var metadata struct {
		Issuer string `json:"issuer"`
		Server
	}
	if json.Unmarshal(answer.body, &metadata) != nil || metadata.Issuer == "" || metadata.Instance != "" && !token(metadata.Instance) {
		return Server{}, fault.New(fault.Invalid, "what answers at %s is not a Gatehouse server", origin)
	}
	if named, err := ParseServer(metadata.Issuer); err != nil || named != origin {
		return Server{}, fault.New(fault.Invalid, "%s calls itself %q", origin, clean(metadata.Issuer)).
			WithHint("gatehouse login --server " + serverHint(metadata.Issuer))
	}
	metadata.Server.Origin = origin
	return metadata.Server, metadata.Server.Check()
}

// serverHint repeats a foreign address only if it is nothing but an address.
func serverHint(address string) string {
	if origin, err := ParseServer(address); err == nil {
		return origin
	}
	return "https://gate.example.com"
}
