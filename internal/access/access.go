package access

import (
	"strings"

	"github.com/gatehouse-dev/gatehouse/internal/caller"
	"github.com/gatehouse-dev/gatehouse/internal/fault"
	"github.com/gatehouse-dev/gatehouse/internal/id"
)

// Check says whether who may exercise a right in an organization: nil, or a
// fault that may be shown as it is.
func Check(who caller.Caller, right caller.Right, in id.Organization) error {
	if who.Kind == caller.Nobody {
		return fault.New(fault.Unauthenticated, "sign in first")
	}
	if in == "" || (who.Organization != in && !everywhere(who)) {
		return fault.New(fault.NotFound, "there is no such thing in your organization")
	}
	if !who.Rights.Has(right) {
		return denied(who, right)
	}
	return nil
}

// CheckOwner is Check for a thing that belongs to a member: the owner needs the
// right to their own things, everybody else the right to all of them.
func CheckOwner(who caller.Caller, own, all caller.Right, owner id.Member, in id.Organization) error {
	if err := Check(who, all, in); err == nil || !fault.Is(err, fault.Denied) {
		return err
	}
	if owner != "" && who.Member == owner {
		return Check(who, own, in)
	}
	return denied(who, all)
}

// CheckInstance says whether who may act on the server as a whole.
func CheckInstance(who caller.Caller) error {
	if everywhere(who) {
		return nil
	}
	return fault.New(fault.Denied, "this can only be done from the server's own shell")
}

// CheckAccount says whether who may act on their own account: a person who is
// signed in in a browser. No key and no device session changes how a person
// signs in.
func CheckAccount(who caller.Caller) error {
	if who.Account != "" && who.Way == caller.Web && (who.Kind == caller.Member || who.Kind == caller.Person) {
		return nil
	}
	return fault.New(fault.Unauthenticated, "sign in first")
}

func everywhere(who caller.Caller) bool {
	return who.Kind == caller.System || who.Kind == caller.Operator
}

func denied(who caller.Caller, right caller.Right) *fault.Error {
	if who.Barred != "" {
		return fault.New(fault.Denied, "%s", who.Barred).WithHint("ask an owner or admin of the organization for it")
	}
	if who.Kind == caller.AdminKey {
		return unscoped(who, right)
	}
	role, organization := who.Role, organizationOf(who)
	if role == "" {
		role = string(who.Kind)
	}
	if who.Withheld.Has(right) {
		return fault.New(fault.Denied, "the plan %q of the organization %q does not have the permission %q", who.Plan, organization, right).
			WithHint("ask an owner of the organization to change its plan")
	}
	return fault.New(fault.Denied, "your role %q in the organization %q lacks the permission %q", role, organization, right).
		WithHint("ask an owner or admin of the organization for it")
}

// unscoped is denied to an admin key: whoever runs the program that has it wants
// to know with which scopes to make another.
func unscoped(who caller.Caller, right caller.Right) *fault.Error {
	have := strings.ReplaceAll(who.Rights.String(), " ", ", ")
	if have == "" {
		have = "none"
	}
	hint := "an owner or admin makes a key with this scope in the console"
	if !AdminKeyRights().Has(right) {
		hint = "no admin key can have it: this is done in the console"
	}
	return fault.New(fault.Denied, "the admin key %q lacks the scope %q; its scopes are: %s", who.Name, right, have).WithHint(hint)
}

func organizationOf(who caller.Caller) string {
	if who.OrganizationName != "" {
		return who.OrganizationName
	}
	return string(who.Organization)
}

// CheckAny is Check for what any of several rights allows.
func CheckAny(who caller.Caller, in id.Organization, rights ...caller.Right) error {
	var err error
	for i := len(rights) - 1; i >= 0; i-- {
		if err = Check(who, rights[i], in); err == nil {
			return nil
		}
	}
	return err
}

// CheckPerson says whether who is a signed-in person, in whatever organization
// or in none yet.
func CheckPerson(who caller.Caller) error {
	if who.Account == "" || who.Way != caller.Web {
		return fault.New(fault.Unauthenticated, "sign in first")
	}
	return nil
}

// CheckMember says whether who is a member of an organization, in the console,
// who has any right in it.
func CheckMember(who caller.Caller, in id.Organization) error {
	if who.Kind == caller.Nobody {
		return fault.New(fault.Unauthenticated, "sign in first")
	}
	if in == "" || who.Organization != in || who.Kind != caller.Member || who.Way != caller.Web {
		return fault.New(fault.NotFound, "there is no such thing in your organization")
	}
	if who.Rights == 0 {
		return denied(who, caller.ReadOrganization)
	}
	return nil
}

// CheckGive says whether who may give rights to somebody, on top of the right
// to do so at all: nobody hands out more than they have. An admin key, which
// has nothing of its own, hands out what is a member's own.
func CheckGive(who caller.Caller, right caller.Right, rights caller.Rights, in id.Organization) error {
	if err := Check(who, right, in); err != nil {
		return err
	}
	have := who.Rights | who.Withheld
	if who.Kind == caller.AdminKey {
		have |= developer
	}
	if everywhere(who) || have.Covers(rights) {
		return nil
	}
	for _, r := range caller.EveryRight() {
		if rights.Has(r) && !have.Has(r) {
			return denied(who, r)
		}
	}
	return nil
}

// CheckTake says whether who may take away what somebody with these rights has.
// Those who run the organization answer to its owners alone.
func CheckTake(who caller.Caller, right caller.Right, rights caller.Rights, in id.Organization) error {
	if err := Check(who, right, in); err != nil {
		return err
	}
	if everywhere(who) || !Runs(rights) {
		return nil
	}
	return Check(who, caller.ManageAdmins, in)
}
