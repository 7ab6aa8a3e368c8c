package source

import "net/url"

// Place is the origin of an address, for a person: neither a path nor a query,
// and no user name, which may be a secret.
func Place(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "an address that cannot be read"
	}
	return u.Scheme + "://" + u.Host
}
