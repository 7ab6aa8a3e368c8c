package price

import "strings"

// The prefixes of Bedrock's inference profiles.
var geographies = []string{"us.", "eu.", "apac.", "jp.", "au.", "global.", "us-gov."}

// plain strips what providers and clients put around a model's name:
// "[1m]", a resource path or ARN, a geography, "anthropic.", "-v1:0". It does
// not allocate.
// Plain is a model's name without what providers and clients put around it: "[1m]",
// a resource path or ARN, a geography, "anthropic.", "-v1:0".
func Plain(model string) string { return plain(model) }

func plain(model string) string {
	if n := len(model) - len("[1m]"); n > 0 && strings.EqualFold(model[n:], "[1m]") {
		model = model[:n]
	}
	if slash := strings.LastIndexByte(model, '/'); slash >= 0 {
		model = model[slash+1:]
	}
	for _, geography := range geographies {
		if rest, ok := strings.CutPrefix(model, geography); ok {
			model = rest
			break
		}
	}
	model, ours := strings.CutPrefix(model, "anthropic.")
	if ours {
		model = withoutRevision(model)
	}
	return model
}

// withoutRevision cuts "-v1" and "-v1:0".
func withoutRevision(model string) string {
	cut := strings.LastIndex(model, "-v")
	if cut < 0 {
		return model
	}
	digits := false
	for _, c := range model[cut+2:] {
		if c != ':' && (c < '0' || c > '9') {
			return model
		}
		digits = true
	}
	if !digits {
		return model
	}
	return model[:cut]
}

// spellings lists the names by which a model's id may be asked for beside the
// id itself: on Google Cloud a date is set off by an "@".
func spellings(id string) []string {
	cut := len(id) - len("-20060102")
	if cut <= 0 || id[cut] != '-' || strings.Trim(id[cut+1:], "0123456789") != "" {
		return []string{id, id + "@default", id + "@latest"}
	}
	return []string{id, id[:cut] + "@" + id[cut+1:]}
}
