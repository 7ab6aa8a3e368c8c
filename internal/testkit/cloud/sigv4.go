package cloud

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// keyOf finds the secret of an access key and the session token that must come with
// it; ok is false if there is none such, or its time is over.
type keyOf func(accessKey string) (secret, token string, ok bool)

// verify checks a signature as AWS does:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
// It returns the access key, or the name of AWS's exception.
func verify(r *http.Request, body []byte, service string, keys keyOf, now time.Time) (accessKey, exception string) {
	scheme, rest, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if scheme != "AWS4-HMAC-SHA256" {
		return "", "MissingAuthenticationTokenException"
	}
	parts := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		parts[name] = value
	}
	scope := strings.Split(parts["Credential"], "/")
	if len(scope) != 5 || scope[3] != service || scope[4] != "aws4_request" {
		return "", "IncompleteSignatureException"
	}
	stamp := r.Header.Get("X-Amz-Date")
	at, err := time.Parse("20060102T150405Z", stamp)
	if err != nil || now.Sub(at).Abs() > 5*time.Minute || !strings.HasPrefix(stamp, scope[1]) {
		return "", "InvalidSignatureException"
	}
	secret, token, ok := keys(scope[0])
	if !ok {
		return "", "ExpiredTokenException"
	}
	if r.Header.Get("X-Amz-Security-Token") != token {
		return "", "UnrecognizedClientException"
	}
	signed := strings.Split(parts["SignedHeaders"], ";")
	for _, needed := range []string{"host", "x-amz-date"} {
		if !slices.Contains(signed, needed) {
			return "", "InvalidSignatureException"
		}
	}
	canonical := []string{r.Method, doubled(r.URL.EscapedPath()), query(r.URL.Query())}
	for _, name := range signed {
		value := r.Header.Get(name)
		switch name {
		case "host":
			value = r.Host
		case "content-length":
			value = fmt.Sprint(r.ContentLength)
		}
		canonical = append(canonical, name+":"+strings.TrimSpace(value))
	}
	canonical = append(canonical, "", parts["SignedHeaders"], digest(body))
	toSign := strings.Join([]string{"AWS4-HMAC-SHA256", stamp, strings.Join(scope[1:], "/"), digest([]byte(strings.Join(canonical, "\n")))}, "\n")
	key := []byte("AWS4" + secret)
	for _, part := range scope[1:] {
		key = mac(key, part)
	}
	if !hmac.Equal([]byte(hex.EncodeToString(mac(key, toSign))), []byte(parts["Signature"])) {
		return "", "InvalidSignatureException"
	}
	return scope[0], ""
}

// doubled escapes an escaped path once more, as every service but S3 wants it.
func doubled(path string) string {
	segments := strings.Split(path, "/")
	for i, s := range segments {
		segments[i] = uriEncode(s)
	}
	return strings.Join(segments, "/")
}

func uriEncode(s string) string {
	var out strings.Builder
	for _, c := range []byte(s) {
		if (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strings.IndexByte("-_.~", c) >= 0 {
			out.WriteByte(c)
		} else {
			fmt.Fprintf(&out, "%%%02X", c)
		}
	}
	return out.String()
}

func query(values url.Values) string {
	var all []string
	for name, list := range values {
		for _, v := range list {
			all = append(all, uriEncode(name)+"="+uriEncode(v))
		}
	}
	slices.Sort(all)
	return strings.Join(all, "&")
}

func digest(b []byte) string { s := sha256.Sum256(b); return hex.EncodeToString(s[:]) }

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}
