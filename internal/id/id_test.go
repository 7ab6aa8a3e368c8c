package id_test

import (
	"math/big"
	"regexp"
	"strings"
	"testing"

	"github.com/gatehouse-dev/gatehouse/internal/id"
	"pgregory.net/rapid"
)

func TestShapes(t *testing.T) {
	for got, want := range map[string]string{
		string(id.NewOrganization()):   `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`,
		string(id.NewAccount()):        `^acct_[0-9A-Za-z]{22}$`,
		string(id.NewMember()):         `^user_[0-9A-Za-z]{22}$`,
		string(id.NewAPIKey()):         `^apikey_[0-9A-Za-z]{22}$`,
		string(id.NewDeviceSession()):  `^devs_[0-9A-Za-z]{22}$`,
		string(id.NewUpstream()):       `^upst_[0-9A-Za-z]{22}$`,
		string(id.NewRequest()):        `^req_[0-9A-Za-z]{22}$`,
		string(id.NewActivity()):       `^activity_[0-9A-Za-z]{22}$`,
		string(id.NewWorkspace()):      `^wrkspc_[0-9A-Za-z]{22}$`,
		string(id.NewServiceAccount()): `^svac_[0-9A-Za-z]{22}$`,
		string(id.NewGroup()):          `^rbac_group_[0-9A-Za-z]{22}$`,
		string(id.NewRole()):           `^rbac_role_[0-9A-Za-z]{22}$`,
		string(id.NewInvite()):         `^invite_[0-9A-Za-z]{22}$`,
		string(id.NewInviteLink()):     `^invlink_[0-9A-Za-z]{22}$`,
		string(id.NewInviteBatch()):    `^invbatch_[0-9A-Za-z]{22}$`,
		string(id.NewMessage()):        `^msg_[0-9A-Za-z]{22}$`,
		string(id.NewPasskey()):        `^passkey_[0-9A-Za-z]{22}$`,
		string(id.NewBrowser()):        `^brws_[0-9A-Za-z]{22}$`,
	} {
		if !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("id %q does not match %s", got, want)
		}
	}
}

func TestBase62(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "raw")
		got := id.Base62(raw, 22)
		// math/big writes 0-9a-z then A-Z: swap the cases to compare.
		want := strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' {
				return r - 'a' + 'A'
			} else if r >= 'A' && r <= 'Z' {
				return r - 'A' + 'a'
			}
			return r
		}, new(big.Int).SetBytes(raw).Text(62))
		if strings.TrimLeft(got, "0") != strings.TrimLeft(want, "0") {
			t.Fatalf("Base62(%x) = %s, want %s", raw, got, want)
		}
		if long := id.Base62(append([]byte{0}, raw...), 22); long != got {
			t.Fatalf("the wide path gives %s, the narrow one %s", long, got)
		}
	})
}
