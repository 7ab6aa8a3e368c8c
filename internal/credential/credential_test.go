package credential_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/credential"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/google/go-cmp/cmp"
)

var now = time.Unix(1795352810, 0)

func jwt(payload string) secret.Text {
	return secret.New("e30." + base64.RawURLEncoding.EncodeToString([]byte(payload)) + ".c2ln")
}

func TestFreshAndUsable(t *testing.T) {
	t.Parallel()
	lives := func(d time.Duration) secret.Text {
		return jwt(fmt.Sprintf(`{"iat":%d,"exp":%d}`, now.Unix()-7, now.Add(d).Unix()-7))
	}
	for _, tt := range []struct {
		access        secret.Text
		left          time.Duration
		fresh, usable bool
	}{
		{lives(time.Hour), time.Hour, true, true},
		{lives(time.Hour), 36 * time.Minute, true, true},
		{lives(time.Hour), 61 * time.Minute, true, true},
		{lives(time.Hour), 62 * time.Minute, false, true}, // the clock was set back
		{lives(time.Hour), 30 * 24 * time.Hour, false, true},
		{lives(time.Hour), 30*time.Minute - time.Second, false, true},
		{lives(time.Hour), time.Minute, false, true},
		{lives(time.Hour), time.Minute - time.Second, false, false},
		{lives(time.Hour), -time.Hour, false, false},
		{lives(time.Minute), 37 * time.Second, true, true},
		{lives(time.Minute), 29 * time.Second, false, false},
		{lives(10 * time.Second), 9 * time.Second, true, true},
		{secret.New("opaque"), time.Minute, true, true},
		{secret.New("opaque"), 59 * time.Second, false, false},
		{jwt(`{"iat":9,"exp":8}`), 61 * time.Second, true, true},
		{secret.New(""), time.Hour, false, false},
	} {
		p := credential.Pair{Access: tt.access, Expires: now.Add(tt.left)}
		if p.Fresh(now) != tt.fresh || p.Usable(now) != tt.usable {
			t.Errorf("%v left: fresh %v, usable %v", tt.left, p.Fresh(now), p.Usable(now))
		}
	}
	if (credential.Pair{Access: secret.New("x")}).Usable(now) {
		t.Error("a token without an end is usable")
	}
}

// Tokens of the same life are renewed at different times, always between 50 and
// 60 % of it, and at the same time by whoever holds the same one.
func TestRenewalIsSpread(t *testing.T) {
	t.Parallel()
	var early, late int
	for n := range 200 {
		p := credential.Pair{Access: jwt(fmt.Sprintf(`{"jti":"%d","iat":1,"exp":3601}`, n)), Expires: now}
		at := func(left time.Duration) bool { return p.Fresh(now.Add(-left)) }
		if at(30*time.Minute-time.Second) || !at(36*time.Minute) {
			t.Errorf("token %d is renewed outside of the time for it", n)
		}
		if at(33*time.Minute) != at(33*time.Minute) {
			t.Errorf("token %d is renewed at two times", n)
		}
		if at(33 * time.Minute) {
			late++
		} else {
			early++
		}
	}
	if early < 50 || late < 50 {
		t.Errorf("%d early, %d late", early, late)
	}
}

func TestReadClaims(t *testing.T) {
	t.Parallel()
	got, err := credential.ReadClaims(jwt(`{"iss":"i","sub":"s","sid":"d","org":"o","email":"e","name":"n","iat":1,"exp":2.5,"more":[]}`))
	want := credential.Claims{Issuer: "i", Subject: "s", DeviceSession: "d", Organization: "o", Email: "e", Name: "n",
		Issued: time.Unix(1, 0), Expires: time.Unix(2, 0)}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for _, bad := range []string{"", "a.b", "a.b.c.d", "a.!.c", "a." + base64.RawURLEncoding.EncodeToString([]byte(`[]`)) + ".c", strings.Repeat("x", 20000)} {
		if _, err := credential.ReadClaims(secret.New(bad)); err == nil || bad != "" && strings.Contains(err.Error(), bad) {
			t.Errorf("ReadClaims(%.20q): %v", bad, err)
		}
	}
}

func TestPrintable(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]bool{"abc": true, "": false, "a b": false, "a\n": false, "ä": false, "a\x7f": false, "a\x00": false,
		strings.Repeat("x", credential.MaxToken): true, strings.Repeat("x", credential.MaxToken+1): false} {
		if got := credential.Printable(secret.New(value)); got != want {
			t.Errorf("Printable(%.20q) = %v", value, got)
		}
	}
}

func TestProfileNames(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", ".", "..", ".x", "a/b", `a\b`, "a b", "ä", "a\n", strings.Repeat("a", 65), "a:b"} {
		if _, err := credential.ParseProfile(bad); err == nil {
			t.Errorf("ParseProfile(%q) is fine", bad)
		}
	}
	p, err := credential.ParseProfile("Work-1.a_b")
	if err != nil || p.SDKName() != "gatehouse-Work-1.a_b" || p.Flag() != " --profile Work-1.a_b" {
		t.Errorf("%v, %v", p, err)
	}
	if d := credential.Profile(""); d.String() != "default" || d.SDKName() != "gatehouse" || d.Flag() != "" {
		t.Error("the zero profile is not the default one")
	}
}

// FuzzDecode proves that any file is refused or read, that what was read is
// written and read again the same, and that no error quotes it.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{`{"version":"1.0","type":"oauth_token","access_token":"a","refresh_token":"r","expires_at":1795352810}`,
		`{"access_token":"a"}`, `{}`, `null`, `[]`, `{"type":"x"}`, `{"access_token":"\ud800","expires_at":-1}`, `{"access_token":1}`, `{"access_token":"a","expires_at":1e30}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := credential.Decode(b)
		if err != nil {
			if len(b) > 12 && strings.Contains(err.Error(), string(b)) {
				t.Fatalf("the error quotes the file: %v", err)
			}
			return
		}
		p.Fresh(now)
		credential.Printable(p.Access)
		again, err := credential.Encode(p)
		if fault.Is(err, fault.Invalid) && len(b) > credential.MaxEncoded/12 {
			return // escapes make it longer
		}
		if err != nil {
			t.Fatal(err)
		}
		q, err := credential.Decode(again)
		if err != nil || !q.Access.Equal(p.Access) || !q.SameChain(p) || !q.Expires.Equal(p.Expires) {
			t.Fatalf("%q is read back differently: %v", again, err)
		}
	})
}

func FuzzReadClaims(f *testing.F) {
	f.Add(jwt(`{"iat":1,"exp":2}`).Reveal())
	f.Add("a.e30.c")
	f.Fuzz(func(t *testing.T, token string) {
		p := credential.Pair{Access: secret.New(token), Expires: now.Add(time.Hour)}
		if p.Fresh(now) && !p.Usable(now) {
			t.Error("fresh but not usable")
		}
	})
}

// A token is fresh until it is due, and not from then on.
func TestDueIsTheEndOfFresh(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	for _, access := range []string{"opaque", "h." + base64.RawURLEncoding.EncodeToString([]byte(`{"iat":1800000000,"exp":1800003600}`)) + ".s"} {
		p := credential.Pair{Access: secret.New(access), Expires: now.Add(time.Hour)}
		if due := p.Due(); p.Fresh(due) || !p.Fresh(due.Add(-1)) {
			t.Errorf("%s: due at %s", access[:6], due)
		}
	}
	if !(credential.Pair{Access: secret.New("x")}).Due().IsZero() || !(credential.Pair{Expires: now}).Due().IsZero() {
		t.Error("what is never fresh is due once")
	}
}
