package inspector_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/inspector"
)

func TestNames(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ organization, name, want, issuer string }{
		{"Zscaler Inc.", "Zscaler Intermediate Root CA (zscaler.net)", "Zscaler", "Zscaler Inc., Zscaler Intermediate Root CA (zscaler.net)"},
		{"", "ca.acme.goskope.com", "Netskope", "ca.acme.goskope.com"},
		{"Palo Alto Networks", "", "Palo Alto Networks", "Palo Alto Networks"},
		{"Fortinet", "FGT60E", "FortiGate", "Fortinet, FGT60E"},
		{"Cisco", "Cisco Umbrella Root CA", "Cisco Umbrella", "Cisco, Cisco Umbrella Root CA"},
		{"Blue Coat", "ProxySG", "Symantec Blue Coat", "Blue Coat, ProxySG"},
		{"Forcepoint LLC", "Forcepoint Cloud CA", "Forcepoint", "Forcepoint LLC, Forcepoint Cloud CA"},
		{"Sophos", "Sophos SSL CA", "Sophos", "Sophos, Sophos SSL CA"},
		{"", "Check Point Harmony", "Check Point", "Check Point Harmony"},
		{"Cloudflare, Inc.", "Gateway CA - Cloudflare Managed G1", "Cloudflare Gateway", "Cloudflare, Inc., Gateway CA - Cloudflare Managed G1"},
		{"mitmproxy", "mitmproxy", "mitmproxy", "mitmproxy"},
		{"AO Kaspersky Lab", "Kaspersky Anti-Virus Personal Root", "Kaspersky", "AO Kaspersky Lab, Kaspersky Anti-Virus Personal Root"},
		{"Avast", "Avast Web/Mail Shield Root", "Avast", "Avast, Avast Web/Mail Shield Root"},
		{"Let's Encrypt", "R11", "", "Let's Encrypt, R11"},
		{"Cloudflare, Inc.", "Cloudflare Inc ECC CA-3", "", "Cloudflare, Inc., Cloudflare Inc ECC CA-3"},
		{"Acme", "Acme Internal CA", "", "Acme, Acme Internal CA"},
	} {
		by := pkix.Name{CommonName: tt.name}
		if tt.organization != "" {
			by.Organization = []string{tt.organization}
		}
		chain := []*x509.Certificate{{Issuer: pkix.Name{CommonName: "inner"}}, {Issuer: by}}
		if got := inspector.Name(chain); got != tt.want {
			t.Errorf("%q, %q: %q", tt.organization, tt.name, got)
		}
		if got := inspector.Issuer(chain); got != tt.issuer {
			t.Errorf("%q, %q: issuer %q", tt.organization, tt.name, got)
		}
	}
	if inspector.Name(nil)+inspector.Issuer(nil) != "" {
		t.Error("nobody has a name")
	}
}
