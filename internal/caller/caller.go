package caller

import "github.com/gatehouse-dev/gatehouse/internal/id"

// Kind is the sort of principal that acts.
type Kind string

const (
	Nobody   Kind = ""                // the zero Caller
	Member   Kind = "member"          // a person, in an organization
	Service  Kind = "service_account" // a principal of an organization that is no person
	AdminKey Kind = "admin_key"       // an organization's key for the Admin API
	Person   Kind = "person"          // a signed-in account before an organization is chosen
	Operator Kind = "operator"        // whoever has the server's own shell
	System   Kind = "system"          // the server itself: jobs, recovery
)

// Way is the door through which the caller came.
type Way string

const (
	Web       Way = "web"       // a console session
	Session   Way = "session"   // an access token of a device session
	Key       Way = "key"       // an API key or admin key
	Shell     Way = "shell"     // the server's command line
	Internal  Way = "internal"  // no door at all
	Anonymous Way = "anonymous" // a door that needs no credential, such as first set-up
)

// Caller is who asks for something. Email and Name are for people to read;
// nothing is decided on them.
type Caller struct {
	Kind             Kind
	Way              Way
	Organization     id.Organization
	OrganizationName string // for messages
	Account          id.Account
	Member           id.Member
	ServiceAccount   id.ServiceAccount // with Kind Service
	Workspace        id.Workspace      // that the credential belongs to; empty: the default one
	Groups           string            // the ids of the member's groups, separated by spaces
	Maker            id.Member         // of an admin key: whose standing it depends on; empty: the operator's
	Key              id.APIKey         // with Way Key
	Session          id.DeviceSession  // with Way Session
	Role             string            // the member's role, for messages
	Rights           Rights
	Withheld         Rights          // that the role has and the plan of the organization has not, for messages
	Plan             string          // for messages
	Barred           string          // why the credential is good for nothing, although its owner may be; for messages
	Enrol            id.Organization // of a Person: where they may act once they have a second factor
	Email            string
	Name             string
	Address          string // where the request came from
}

// Principal is the id the record knows the caller by.
func (c Caller) Principal() string {
	switch c.Kind {
	case Member:
		return string(c.Member)
	case Service:
		return string(c.ServiceAccount)
	case AdminKey:
		return string(c.Key)
	case Person:
		return string(c.Account)
	}
	return string(c.Kind)
}

// From returns a copy that came from an address.
func (c Caller) From(address string) Caller { c.Address = address; return c }

// OfSystem is the server acting by itself in an organization, which may be
// empty for what concerns the whole instance.
func OfSystem(org id.Organization) Caller {
	return Caller{Kind: System, Way: Internal, Organization: org, Rights: All}
}

// OfOperator is whoever runs commands in the server's own shell.
func OfOperator(org id.Organization) Caller {
	return Caller{Kind: Operator, Way: Shell, Organization: org, Rights: All}
}
