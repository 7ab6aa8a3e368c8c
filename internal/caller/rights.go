package caller

// Right is one thing a caller may be allowed to do.
type Right uint8

const (
	UseModels          Right = iota // send requests to models
	ReadOrganization                // see the organization itself
	ManageOrganization              // change its settings and model list
	ReadMembers                     // see who is in
	ManageMembers                   // add people, make their sign-in links
	OwnSessions                     // see and end one's own device sessions
	AllSessions                     // see and end anybody's
	OwnKeys                         // make, see and change one's own API keys
	AllKeys                         // see and change anybody's
	ManageUpstreams                 // connect and remove upstreams
	ReadActivity                    // read the record
	OwnUsage                        // see one's own usage
	AllUsage                        // see everybody's
	rightCount
)

// Names are the rights' stable names, in the order of the constants.
var rightNames = [rightCount]string{"models:use", "organization:read", "organization:manage", "members:read", "members:manage",
	"sessions:own", "sessions:all", "keys:own", "keys:all", "upstreams:manage", "activity:read", "usage:own", "usage:all"}

func (r Right) String() string { return rightNames[r] }

// Rights is a set of rights. The zero set is empty.
type Rights uint64

// All holds every right there is.
const All Rights = 1<<rightCount - 1

// RightsOf makes a set.
func RightsOf(rights ...Right) Rights {
	var set Rights
	for _, r := range rights {
		set |= 1 << r
	}
	return set
}

// Has reports whether the set holds r.
func (s Rights) Has(r Right) bool { return s&(1<<r) != 0 }

// EveryRight lists all rights, for tables and their tests.
func EveryRight() []Right {
	all := make([]Right, rightCount)
	for i := range all {
		all[i] = Right(i)
	}
	return all
}
