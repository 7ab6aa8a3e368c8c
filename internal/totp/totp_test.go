package totp_test

import (
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-dev/gatehouse/internal/secret"
	"github.com/gatehouse-dev/gatehouse/internal/totp"
)

// The vectors of RFC 6238, appendix B, cut to six digits.
func TestVectors(t *testing.T) {
	of := secret.New("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
	for at, want := range map[int64]string{59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130"} {
		if got, err := totp.Code(of, totp.Step(time.Unix(at, 0))); got != want || err != nil {
			t.Errorf("at %d: %s, %v; want %s", at, got, err, want)
		}
		if step, ok := totp.Check(of, want[:3]+" "+want[3:], time.Unix(at, 0), 0); !ok || step != at/30 {
			t.Errorf("at %d: step %d, %v", at, step, ok)
		}
	}
}

func TestWindowAndReuse(t *testing.T) {
	of, at := totp.NewSecret(), time.Unix(1_800_000_000, 0)
	code, err := totp.Code(of, totp.Step(at))
	if err != nil {
		t.Fatal(err)
	}
	for late, want := range map[time.Duration]bool{-60 * time.Second: false, -30 * time.Second: true, 0: true, 30 * time.Second: true, 60 * time.Second: false} {
		if _, ok := totp.Check(of, code, at.Add(late), 0); ok != want {
			t.Errorf("%v late: %v", late, ok)
		}
	}
	step, _ := totp.Check(of, code, at, 0)
	for _, last := range []int64{step, step + 1} {
		if _, ok := totp.Check(of, code, at, last); ok {
			t.Errorf("a code is good after step %d was used", last)
		}
	}
	if _, ok := totp.Check(totp.NewSecret(), code, at, 0); ok {
		t.Error("another secret's code is good")
	}
}

func TestURI(t *testing.T) {
	uri := totp.URI(secret.New("GEZDGNBVGY3TQOJQ"), "Gatehouse gate.example", "ada+test@example.com")
	if want := "otpauth://totp/Gatehouse%20gate.example:ada+test@example.com?algorithm=SHA1&digits=6&issuer=Gatehouse%20gate.example&period=30&secret=GEZDGNBVGY3TQOJQ"; uri.Reveal() != want {
		t.Errorf("got  %s\nwant %s", uri.Reveal(), want)
	}
	picture, err := totp.Picture(uri)
	if err != nil || !strings.HasPrefix(picture.Reveal(), "data:image/png;base64,iVBOR") || len(picture.Reveal()) > 8<<10 {
		t.Errorf("the picture: %d bytes, %v", len(picture.Reveal()), err)
	}
}

func FuzzCheck(f *testing.F) {
	of := secret.New("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
	for _, seed := range []string{"287082", " 287 082 ", "٢٨٧٠٨٢", "", "28708", strings.Repeat("1", 99)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		if _, ok := totp.Check(of, typed, time.Unix(59, 0), 0); ok {
			if code, _ := totp.Clean(typed); code != "287082" && code != "755224" && code != "359152" {
				t.Errorf("%q is taken", typed)
			}
		}
	})
}
