package id

import (
	"crypto/rand"
	"encoding/hex"
	"math/big"
	"strings"
)

// Typed identifiers. The zero value of each names nothing.
type (
	Organization   string // a bare UUID, version 4
	Account        string // acct_…    one human
	Member         string // user_…    an account in an organization
	APIKey         string // apikey_…  API keys and admin keys
	DeviceSession  string // devs_…    one sign-in on one device through one door
	Upstream       string // upst_…    a place where models answer
	Request        string // req_…     one HTTP request we answered
	Activity       string // activity_… one audited event
	Workspace      string // wrkspc_…  a part of an organization with its own keys and models; empty: the default one
	ServiceAccount string // svac_…   a principal that is no person
	Group          string // rbac_group_… members who are given rights together
	Role           string // rbac_role_…  a custom role
	Invite         string // invite_…  an address that is asked to join
	InviteLink     string // invlink_… a link with which people invite themselves
	InviteBatch    string // invbatch_… many invitations made in one go
	Message        string // msg_…     one mail
	Passkey        string // passkey_… one WebAuthn credential of an account
	Browser        string // brws_…    one signed-in browser
)

// The constructors make a fresh random id.

func NewOrganization() Organization     { return Organization(uuid()) }
func NewAccount() Account               { return Account(random("acct_")) }
func NewMember() Member                 { return Member(random("user_")) }
func NewAPIKey() APIKey                 { return APIKey(random("apikey_")) }
func NewDeviceSession() DeviceSession   { return DeviceSession(random("devs_")) }
func NewUpstream() Upstream             { return Upstream(random("upst_")) }
func NewRequest() Request               { return Request(random("req_")) }
func NewActivity() Activity             { return Activity(random("activity_")) }
func NewWorkspace() Workspace           { return Workspace(random("wrkspc_")) }
func NewServiceAccount() ServiceAccount { return ServiceAccount(random("svac_")) }
func NewGroup() Group                   { return Group(random("rbac_group_")) }
func NewRole() Role                     { return Role(random("rbac_role_")) }
func NewInvite() Invite                 { return Invite(random("invite_")) }
func NewInviteLink() InviteLink         { return InviteLink(random("invlink_")) }
func NewInviteBatch() InviteBatch       { return InviteBatch(random("invbatch_")) }
func NewMessage() Message               { return Message(random("msg_")) }
func NewPasskey() Passkey               { return Passkey(random("passkey_")) }
func NewBrowser() Browser               { return Browser(random("brws_")) }

const (
	base62    = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	digits    = 22 // of base62: 131 bits of room for 128 random ones
	randBytes = 16
)

func random(prefix string) string {
	var raw [randBytes]byte
	rand.Read(raw[:]) // never fails: crypto/rand aborts the program instead
	return prefix + Base62(raw[:], digits)
}

// Base62 writes raw as a big-endian number of exactly width base62 digits. The
// caller chooses a width that holds it; a number too large loses its high digits.
func Base62(raw []byte, width int) string {
	out := make([]byte, width)
	if len(raw) == randBytes {
		base62Of128(raw, out)
		return string(out)
	}
	n, base, rest := new(big.Int).SetBytes(raw), big.NewInt(62), new(big.Int)
	for i := width - 1; i >= 0; i-- {
		n.DivMod(n, base, rest)
		out[i] = base62[rest.Int64()]
	}
	return string(out)
}

// base62Of128 is Base62 without math/big: every request gets an id.
func base62Of128(raw, out []byte) {
	var limbs [4]uint64 // 32 bits each, most significant first
	for i := range limbs {
		for _, b := range raw[i*4 : i*4+4] {
			limbs[i] = limbs[i]<<8 | uint64(b)
		}
	}
	for i := len(out) - 1; i >= 0; i-- {
		var rest uint64
		for j, limb := range limbs {
			v := rest<<32 | limb
			limbs[j], rest = v/62, v%62
		}
		out[i] = base62[rest]
	}
}

// IsBase62 reports whether s is made of base62 digits only.
func IsBase62(s string) bool {
	for i := 0; i < len(s); i++ {
		if strings.IndexByte(base62, s[i]) < 0 {
			return false
		}
	}
	return true
}

func uuid() string {
	var raw [16]byte
	rand.Read(raw[:])
	raw[6] = raw[6]&0x0f | 0x40
	raw[8] = raw[8]&0x3f | 0x80
	h := hex.EncodeToString(raw[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
