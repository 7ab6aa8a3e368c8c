package gateway

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestForwardable(t *testing.T) {
	t.Parallel()
	from := http.Header{
		"Anthropic-Version": {"v"}, "Anthropic-Beta": {"a", "b"}, "User-Agent": {"u"}, "X-Stainless-Lang": {"js"}, "X-App": {"cli"}, "Content-Type": {"c"},
		"Traceparent": {"t"}, "Anything-New": {"n"}, "Accept": {"a"},
		"Authorization": {"x"}, "X-Api-Key": {"x"}, "Api-Key": {"x"}, "Cookie": {"x"}, "Proxy-Authorization": {"x"}, "Proxy-Anything": {"x"}, "X-Goog-Api-Key": {"x"}, "X-Amz-Security-Token": {"x"},
		"Connection": {"close, X-Named"}, "X-Named": {"x"}, "Keep-Alive": {"x"}, "Transfer-Encoding": {"x"}, "Te": {"x"}, "Upgrade": {"x"}, "Expect": {"x"},
		"Host": {"x"}, "Content-Length": {"x"}, "Content-Encoding": {"identity"}, "Accept-Encoding": {"gzip"},
		"Forwarded": {"x"}, "X-Forwarded-For": {"x"}, "X-Forwarded-Host": {"x"}, "X-Real-Ip": {"x"}, "X-Original-Url": {"x"}, "X-Http-Method-Override": {"x"}, "X_api_key": {"x"}, "": {"x"},
	}
	before := from.Clone()
	want := http.Header{"Anthropic-Version": {"v"}, "Anthropic-Beta": {"a", "b"}, "User-Agent": {"u"}, "X-Stainless-Lang": {"js"}, "X-App": {"cli"}, "Content-Type": {"c"},
		"Traceparent": {"t"}, "Anything-New": {"n"}, "Accept": {"a"}}
	if diff := cmp.Diff(want, Forwardable(from)); diff != "" {
		t.Errorf("forwarded (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(before, from); diff != "" {
		t.Errorf("the client's header was changed:\n%s", diff)
	}
}

func TestWithoutBeta(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, lines, want string }{
		{"alone", "oauth-2025-04-20", ""},
		{"not there", "a, b|c", "a, b|c"},
		{"first", "oauth-2025-04-20,a", "a"},
		{"in the middle, blanks kept", "a, oauth-2025-04-20 ,  b", "a,  b"},
		{"last of several lines", "a|b,oauth-2025-04-20", "a|b"},
		{"a line of its own", "a|oauth-2025-04-20|b", "a|b"},
		{"twice", "oauth-2025-04-20,a,oauth-2025-04-20", "a"},
		{"a longer value is another", "oauth-2025-04-20-x,xoauth-2025-04-20", "oauth-2025-04-20-x,xoauth-2025-04-20"},
	} {
		lines := strings.Split(c.lines, "|")
		if got := strings.Join(WithoutBeta(lines, OAuthBeta), "|"); got != c.want {
			t.Errorf("%s: %q", c.name, got)
		}
		if strings.Join(lines, "|") != c.lines {
			t.Errorf("%s: the client's lines were changed", c.name)
		}
	}
}

func FuzzWithoutBeta(f *testing.F) {
	f.Add("a, oauth-2025-04-20 ,b", "oauth-2025-04-20")
	f.Add(",,", "oauth-2025-04-20x")
	values := func(lines []string) []string {
		var all []string
		for _, line := range lines {
			for v := range strings.SplitSeq(line, ",") {
				if v = strings.TrimSpace(v); v != "" {
					all = append(all, v)
				}
			}
		}
		return all
	}
	f.Fuzz(func(t *testing.T, one, two string) {
		lines := []string{one, two}
		want := slices.DeleteFunc(values(lines), func(v string) bool { return v == OAuthBeta })
		got := WithoutBeta(lines, OAuthBeta)
		if diff := cmp.Diff(want, values(got)); diff != "" {
			t.Fatalf("%q (-want +got):\n%s", lines, diff)
		}
		if lines[0] != one || lines[1] != two {
			t.Fatal("the original was changed")
		}
	})
}
