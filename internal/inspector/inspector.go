package inspector

import (
	"crypto/x509"
	"strings"
)

// inspectors are what products that open TLS call themselves in the
// certificates that they make, and what people call them.
var inspectors = [][2]string{
	{"zscaler", "Zscaler"}, {"netskope", "Netskope"}, {"goskope", "Netskope"}, {"palo alto", "Palo Alto Networks"}, {"globalprotect", "Palo Alto Networks"},
	{"fortinet", "FortiGate"}, {"fortigate", "FortiGate"}, {"cisco umbrella", "Cisco Umbrella"}, {"opendns", "Cisco Umbrella"}, {"cisco secure", "Cisco"},
	{"blue coat", "Symantec Blue Coat"}, {"bluecoat", "Symantec Blue Coat"}, {"forcepoint", "Forcepoint"}, {"websense", "Forcepoint"},
	{"mcafee web gateway", "Skyhigh (McAfee)"}, {"skyhigh", "Skyhigh (McAfee)"}, {"sophos", "Sophos"}, {"check point", "Check Point"},
	{"kaspersky", "Kaspersky"}, {"eset ssl", "ESET"}, {"avast", "Avast"}, {"avg ", "AVG"}, {"bitdefender", "Bitdefender"}, {"norton", "Norton"},
	{"gateway ca - cloudflare", "Cloudflare Gateway"}, {"cloudflare for teams", "Cloudflare Gateway"}, {"barracuda", "Barracuda"}, {"watchguard", "WatchGuard"},
	{"iboss", "iboss"}, {"symantec web security", "Symantec Blue Coat"}, {"cisco web security", "Cisco"}, {"trend micro", "Trend Micro"}, {"lightspeed", "Lightspeed"}, {"securly", "Securly"},
	{"menlo security", "Menlo Security"}, {"cato networks", "Cato Networks"}, {"sonicwall", "SonicWall"}, {"untangle", "Untangle"},
	{"mitmproxy", "mitmproxy"}, {"charles proxy", "Charles"}, {"fiddler", "Fiddler"}, {"do_not_trust", "Fiddler"}, {"portswigger", "Burp Suite"}, {"squid", "Squid"}, {"microsoft entra internet access", "Microsoft Entra Internet Access"},
}

// Name names what opened the TLS of a chain of certificates, the server's own
// first; "" if it is not known for that.
func Name(chain []*x509.Certificate) string {
	for _, c := range chain {
		names := append([]string{c.Issuer.CommonName}, c.Issuer.Organization...)
		text := strings.ToLower(strings.Join(append(names, c.Issuer.OrganizationalUnit...), " ")) + " "
		for _, known := range inspectors {
			if strings.Contains(text, known[0]) {
				return known[1]
			}
		}
	}
	return ""
}

// Issuer is who made the last certificate of a chain: the organization and the
// common name, as the certificate says them, which is a stranger's word. "" for
// no chain.
func Issuer(chain []*x509.Certificate) string {
	if len(chain) == 0 {
		return ""
	}
	by := chain[len(chain)-1].Issuer
	if len(by.Organization) > 0 && by.CommonName != "" && by.Organization[0] != by.CommonName {
		return by.Organization[0] + ", " + by.CommonName
	}
	if by.CommonName == "" && len(by.Organization) > 0 {
		return by.Organization[0]
	}
	return by.CommonName
}
